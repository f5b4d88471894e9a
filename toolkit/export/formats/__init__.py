"""Formats: one module a format, each with its SUFFIX and QUANTIZATIONS, and ``convert`` or ``derive``.

A format converts the Keras model (MADE_FROM is None), or it writes the artifacts of another format in another form
(MADE_FROM names that format).
"""

from collections.abc import Sequence
from types import ModuleType

from toolkit import registry
from toolkit.errors import UsageError
from toolkit.export.formats.base import MIXED


def get(name: str) -> ModuleType:
    """Return the format of that name; UsageError lists the allowed ones."""
    return registry.member(__name__, name, kind="format")


def plan(formats: Sequence[str], quantizations: Sequence[str]) -> list[tuple[str, str]]:
    """Return the (format, quantization) pairs to make, formats by name, in the order in which they can be made.

    Empty arguments stand for all there are but MIXED; without formats those that convert the model. A format that is
    made from another one brings that one's artifacts along, so that both are of one conversion. A quantization that
    none of the formats has is a UsageError, as is a format, asked for by name, that has none of the quantizations.
    """
    modules = {name: get(name) for name in (*registry.names(__name__), *formats)}
    chosen = list(dict.fromkeys(formats)) or [name for name, module in modules.items() if module.MADE_FROM is None]
    allowed = "; ".join(f"{name}: {', '.join(modules[name].QUANTIZATIONS)}" for name in chosen)
    for quantization in quantizations:
        if all(quantization not in modules[name].QUANTIZATIONS for name in chosen):
            raise UsageError(f"unknown quantization '{quantization}'; allowed: {allowed}")
    asked = [
        (name, q)
        for name in chosen
        for q in modules[name].QUANTIZATIONS
        if (q in quantizations if quantizations else q != MIXED)
    ]
    if formats and (idle := [name for name in chosen if name not in dict(asked)]):
        raise UsageError(
            f"the format '{idle[0]}' has no {' or '.join(quantizations)}; allowed: "
            f"{', '.join(modules[idle[0]].QUANTIZATIONS)}; add one of these, or leave out the format"
        )
    derived = [(name, q) for name, q in asked if modules[name].MADE_FROM is not None]
    origins = [(str(modules[name].MADE_FROM), q) for name, q in derived]
    converted = [pair for pair in asked if pair not in derived]
    return list(dict.fromkeys((*converted, *origins, *derived)))


def every() -> list[tuple[str, str]]:
    """Return all (format, quantization) pairs that there are, formats by name."""
    return [(name, quantization) for name in registry.names(__name__) for quantization in get(name).QUANTIZATIONS]


def suffixes() -> tuple[str, ...]:
    """Return the suffixes of the files that exports write: the artifacts', and of what is made from them."""
    return tuple(get(name).SUFFIX for name in registry.names(__name__))
