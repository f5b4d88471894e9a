"""What the study is asked: one module a claim (``base.ClaimModule``)."""

from typing import cast

from toolkit import registry
from toolkit.study.claims.base import ClaimModule, WeighedClaim
from toolkit.study.study import Study


def weigh(study: Study) -> tuple[WeighedClaim, ...]:
    """Return what the study says of every claim, by their letters."""
    modules = [cast("ClaimModule", registry.member(__name__, name, kind="claim")) for name in registry.names(__name__)]
    return tuple(_weigh(study, module) for module in sorted(modules, key=lambda module: module.LETTER))


def _weigh(study: Study, module: ClaimModule) -> WeighedClaim:
    return WeighedClaim(
        **vars(module.weigh(study)),
        letter=module.LETTER,
        claim=module.CLAIM,
        criterion=module.__doc__ or "",
        charts=module.CHARTS,
        left_out=len(study.due),
    )
