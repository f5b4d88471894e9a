"""Formats: one module a format, each with its QUANTIZATIONS and ``convert``."""

from collections.abc import Sequence

from toolkit import registry
from toolkit.errors import UsageError


def plan(formats: Sequence[str], quantizations: Sequence[str]) -> list[tuple[str, str]]:
    """Return the (format, quantization) pairs to make, formats by name; empty arguments stand for all there are.

    A quantization that none of the formats has is a UsageError, as is one that a format, asked for by name, lacks.
    """
    known = {name: registry.member(__name__, name, kind="format").QUANTIZATIONS for name in registry.names(__name__)}
    for name in formats:
        registry.member(__name__, name, kind="format")
    chosen = list(dict.fromkeys(formats)) or list(known)
    for quantization in quantizations:
        lacking = [name for name in chosen if quantization not in known[name]]
        if len(lacking) == len(chosen) or (formats and lacking):
            allowed = "; ".join(f"{name}: {', '.join(known[name])}" for name in chosen)
            raise UsageError(f"unknown quantization '{quantization}'; allowed: {allowed}")
    return [(name, q) for name in chosen for q in known[name] if not quantizations or q in quantizations]
