"""Text for seconds, bytes, shares and paths, and what such texts stand for: one place, one style."""

import re
from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path

from toolkit.errors import UsageError

# Set at every figure that was measured on images a model has learned from.
MARK = "*"
# What with three significant figures is one of a unit: from here on the larger unit is taken, 1.00 ms and not 1000 µs.
ROUNDED = 0.9995
# What users write behind a number, and what it is multiplied by.
TIMES = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6}
SIZES = {"B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9}
COUNTS = {"k": 1e3, "M": 1e6, "G": 1e9}


def quantity(text: str | None, scales: Mapping[str, float], option: str) -> float | None:
    """Return what a user's text stands for, as ``500kB`` with SIZES; None for None.

    UsageError, which names the option, unless it is a number above 0 and one of the units.
    """
    if text is None:
        return None
    match = re.fullmatch(r"([0-9.]+) ?([A-Za-zµ]+)", text.strip())
    try:
        value = float(match[1]) * scales[match[2]] if match else 0.0
    except (ValueError, KeyError):
        value = 0.0
    if not 0 < value < inf:
        raise UsageError(f"{option} is '{text}'; it must be a number and a unit: {', '.join(scales)}")
    return value


def require_from(what: str, value: float, least: float, most: float) -> None:
    """Raise UsageError, which says what is allowed, unless a number lies from ``least`` to ``most``."""
    if not least <= value <= most:
        raise UsageError(f"{what} is {_number(value)}; it must be from {_number(least)} to {_number(most)}")


def marked(figure: str, *, overlap: object) -> str:
    """Return a figure, with the mark if there is an overlap."""
    return figure + MARK if overlap else figure


def seconds(value_s: float) -> str:
    """Return a duration with three significant figures below a minute: ``21.3 µs``, ``7.10 s``, ``13 min 20 s``."""
    if value_s >= 59.95:
        minutes, rest = divmod(round(value_s), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
    for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if value_s >= ROUNDED * scale:
            return f"{_significant(value_s / scale)} {unit}"
    return f"{_significant(value_s * 1e9)} ns"


def round_seconds(value_s: float) -> str:
    """Return a duration that is a round number, as the ticks of an axis are: ``10 µs``."""
    number, unit = seconds(value_s).split(" ", 1)
    return f"{float(number):g} {unit}"


def interval(low_s: float, high_s: float) -> str:
    """Return a range of durations, with one unit if both have the same: ``145 – 180 µs``."""
    low, high = seconds(low_s), seconds(high_s)
    same = low.count(" ") == 1 and low.partition(" ")[2] == high.partition(" ")[2]
    return f"{low.partition(' ')[0] if same else low} – {high}"


def size(value_bytes: float) -> str:
    """Return a size in decimal units, as file managers and SD cards count: ``433 kB``, ``1.69 MB``."""
    for scale, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value_bytes >= ROUNDED * scale:
            return f"{_significant(value_bytes / scale)} {unit}"
    return f"{value_bytes:.0f} B"


def rate(value_per_s: float) -> str:
    """Return how many a second: ``40.0 G/s``, ``433 M/s``."""
    for scale, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value_per_s >= ROUNDED * scale:
            return f"{_significant(value_per_s / scale)} {unit}/s"
    return f"{value_per_s:.0f} /s"


def percent(share: float, style: str = ".2f") -> str:
    """Return a share in [0, 1] as a percentage, with two decimals unless ``style`` has it otherwise: ``98.90 %``."""
    return f"{share * 100:{style}} %"


def short_names(paths: Sequence[Path]) -> list[str]:
    """Return file names, with as many of their folders as tell apart two files of one name: ``cnn/int8.tflite``."""
    different, names = set(paths), []
    for path in paths:
        ends = [path.parts[-length:] for length in range(1, len(path.parts) + 1)]
        alone = (end for end in ends if sum(other.parts[-len(end) :] == end for other in different) == 1)
        names.append(str(Path(*next(alone, path.parts))))
    return names


def count(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 seed``, ``3 seeds``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(words: Sequence[str]) -> str:
    """Return words as a sentence lists them: ``a``, ``a and b``, ``a, b and c``; there must be one."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def first(words: Sequence[object], most: int, *, between: str = ", ") -> str:
    """Return the first of many words: ``a, b, …``."""
    return between.join([*map(str, words[:most]), *(["…"] if len(words) > most else [])])


def _number(value: float) -> str:
    """Return a number as a user may have written it, with commas between thousands."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,g}"


def _significant(value: float) -> str:
    """Three significant figures, never in exponent form."""
    if value >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
