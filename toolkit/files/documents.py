"""JSON documents: read once, checked before anything in them is used."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

from toolkit.errors import ArtifactError, ToolkitError
from toolkit.files.damage import decoding
from toolkit.files.regular import read_bytes

T = TypeVar("T")

# The longest document; decoded it takes up to 25 times as much. A manifest of 100,000 calibration images has 4 MB.
MOST_BYTES = 16 << 20
# How deep lists and objects may lie in each other: five levels are written, and all that walks a document is recursive.
MOST_DEPTH = 50
MOST_WHOLE = 2**63 - 1
# Characters of a whole number that are read: so many already make one beyond MOST_WHOLE.
MOST_DIGITS = 25
# The field of a dataclass that takes what a document has beside its other fields.
OTHERS = "others"
# The class variable that names what a document has beside the fields of a dataclass, and what is derived of them.
DERIVED = "DERIVED"
# The metadata of a field that older documents lack: at its default it is not written, so that those stay the same.
LATER = {"later": True}


def read(
    path: Path,
    kind: type[T],
    *,
    what: str,
    error: type[ToolkitError] = ArtifactError,
    missing: str = "no such file",
) -> T:
    """Return a JSON file as ``kind``: a dataclass, a TypedDict, ``dict[str, Any]``. what: "a manifest".

    Raises ``error``, naming the file and the field, if it is missing, no JSON in UTF-8, or of other types.
    """
    return convert(load(path, what=what, error=error, missing=missing), kind, path, what=what, error=error)


def load(
    path: Path, *, what: str, error: type[ToolkitError] = ArtifactError, missing: str = "no such file"
) -> dict[str, Any]:
    """Return the object of a JSON file as it is."""
    return parse(content(path, error=error, missing=missing), path, what=what, error=error)


def content(path: Path, *, error: type[ToolkitError] = ArtifactError, missing: str = "no such file") -> bytes:
    """Return the text of a JSON file, for ``parse``."""
    return read_bytes(path, most=MOST_BYTES, error=error, missing=missing)


def parse(
    text: bytes, where: Path | str, *, what: str, error: type[ToolkitError] = ArtifactError, finite: bool = True
) -> dict[str, Any]:
    """Return the object of a JSON text as it is. finite: whether NaN and infinities, which are no JSON, are refused.

    Lone surrogates, which no file in UTF-8 can hold, are refused too.
    """
    with decoding(where, what, error=error):
        tree = json.loads(text.decode("utf-8"), parse_int=lambda digits: int(digits[:MOST_DIGITS]))
    if not isinstance(tree, dict):
        raise error(f"{where}: not {what} that toolkit reads: no JSON object, but {type(tree).__name__}")
    check(tree, where, what=what, error=error, finite=finite)
    return tree


def check(tree: Any, where: Path | str, *, what: str, error: type[ToolkitError], finite: bool = True) -> None:
    """Raise ``error``, naming the field, for what no document may hold: ``parse`` has the list."""
    for at, problem in _problems(tree, finite=finite):
        raise error(f"{where}: not {what} that toolkit reads: {at}: {problem}")


def convert(tree: Any, kind: type[T], where: Path | str, *, what: str, error: type[ToolkitError] = ArtifactError) -> T:
    """Return a decoded document as ``kind``; raise ``error``, naming the field, for what is missing or of another type.

    What a TypedDict does not have stays in it, and what a dataclass does not have goes into its ``others``, so that
    nothing is lost when the document is written again; a dataclass without ``others`` refuses it, unless DERIVED names
    it. A text whose type is a class that takes one, such as ``FileName``, is checked by it.
    """
    import msgspec

    try:
        made: T = _whole(tree, msgspec.convert(tree, kind, dec_hook=_made), "$")
    except ToolkitError as problem:  # of a dataclass that checks itself
        raise error(f"{where}: {problem}") from problem
    except (msgspec.ValidationError, ValueError) as problem:
        message, _, at = str(problem).partition(" - at ")
        message = message.replace("`", "")
        text = f"{at.strip('`') or '$'}: {message[0].lower()}{message[1:]}"
        raise error(f"{where}: not {what} that toolkit reads: {text}") from problem
    return made


def to_tree(value: Any) -> Any:
    """Return a dataclass, and those within it, as the document that ``convert`` makes it of."""
    if is_dataclass(value):
        written = (one for one in fields(value) if not one.metadata or getattr(value, one.name) != one.default)
        tree = {one.name: to_tree(getattr(value, one.name)) for one in written}
        return tree | tree.pop(OTHERS, {})
    if isinstance(value, dict):
        return {name: to_tree(part) for name, part in value.items()}
    return [to_tree(part) for part in value] if isinstance(value, list | tuple) else value


def _made(kind: type[Any], value: Any) -> Any:
    """Return a text, or a path, as a class of this project."""
    if not isinstance(value, str):
        raise ValueError(f"expected str, got {type(value).__name__}")
    return kind(value)


def _problems(tree: Any, *, finite: bool) -> Iterator[tuple[str, str]]:
    """Yield what no document may hold, with where it is. A stack, not a recursion: the depth is what is looked at."""
    left: list[tuple[Any, tuple[Any, ...], int]] = [(tree, (), 0)]
    while left:
        value, at, depth = left.pop()
        if isinstance(value, dict):
            left += [(part, (at, f".{key}"), depth + 1) for key, part in value.items()]
            if any(_is_broken(key) for key in value):
                yield _place(at), "a name holds half a character (a lone surrogate)"
        elif isinstance(value, list):
            left += [(part, (at, f"[{number}]"), depth + 1) for number, part in enumerate(value)]
        elif isinstance(value, float) and finite and not isfinite(value):
            yield _place(at), f"{value} is no number"
        elif isinstance(value, int) and abs(value) > MOST_WHOLE:
            yield _place(at), "a number of more than 64 bits"
        elif isinstance(value, str) and _is_broken(value):
            yield _place(at), "holds half a character (a lone surrogate)"
        if depth > MOST_DEPTH:
            yield _place(at), f"nested more than {MOST_DEPTH} deep"


def _place(at: tuple[Any, ...]) -> str:
    steps = []
    while at:
        at, step = at
        steps.append(step if step.isprintable() else ascii(step)[1:-1])
    return "$" + "".join(reversed(steps))


def _is_broken(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text) if not text.isascii() else False


def _whole(tree: Any, converted: Any, at: str) -> Any:
    """Return ``converted``, made of ``tree``, with what its TypedDicts left out; ValueError if a dataclass did."""
    if isinstance(converted, list | tuple):
        parts = enumerate(zip(tree, converted, strict=True))
        return type(converted)(_whole(part, made, f"{at}[{number}]") for number, (part, made) in parts)
    if isinstance(converted, dict):
        return {
            key: _whole(part, converted[key], f"{at}.{key}") if key in converted else part for key, part in tree.items()
        }
    if is_dataclass(converted) and not isinstance(converted, type):
        names = {field.name for field in fields(converted)} & tree.keys() - {OTHERS}
        made = {name: _whole(tree[name], getattr(converted, name), f"{at}.{name}") for name in names}
        surplus = {name: part for name, part in tree.items() if name not in names}
        if hasattr(converted, OTHERS):
            made[OTHERS] = surplus
        elif surplus := {name: part for name, part in surplus.items() if name not in getattr(converted, DERIVED, ())}:
            raise ValueError(f"unknown field - at `{at}.{ascii(min(surplus))[1:-1]}`")
        return replace(converted, **made)
    # A text of a class of its own was only to be checked, and a whole number is a float without becoming 1.0.
    return tree if isinstance(converted, str | float) and not isinstance(converted, Enum) else converted
