"""What the study is asked: one module a claim, whose docstring is the criterion that the report prints.

Each has ``LETTER``, ``CLAIM``, ``CHARTS`` (prefixes of the names of charts that show it) and ``weigh(study)``, which
returns a ``base.Weighed``.
"""

from types import ModuleType

from toolkit import registry
from toolkit.study.claims.base import WeighedClaim
from toolkit.study.study import Study


def weigh(study: Study) -> tuple[WeighedClaim, ...]:
    """Return what the study says of every claim, by their letters."""
    modules = (registry.member(__name__, name, kind="claim") for name in registry.names(__name__))
    return tuple(_weigh(study, module) for module in sorted(modules, key=lambda module: str(module.LETTER)))


def _weigh(study: Study, module: ModuleType) -> WeighedClaim:
    return WeighedClaim(
        **vars(module.weigh(study)),
        letter=module.LETTER,
        claim=module.CLAIM,
        criterion=module.__doc__ or "",
        charts=module.CHARTS,
        left_out=len(study.due),
    )
