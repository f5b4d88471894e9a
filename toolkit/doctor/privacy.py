"""What a report may tell: only what is listed here, so that nobody can see whose machine it describes.

A value is kept if its key is listed and its kind is right. Of a text, known words, names of packages and versions are
kept. Everything else in it (paths, addresses, names) becomes ``<…>``: since private words are not searched for, none
can be missed.
"""

import builtins
import getpass
import os
import platform
import re
import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PureWindowsPath
from typing import Any

from toolkit import constraints, errors, registry
from toolkit.doctor import vocabulary
from toolkit.doctor.causes import DISTRIBUTION_OF
from toolkit.doctor.remedy import interpreter
from toolkit.text import printable

UNTOLD = "<…>"
# Users that every machine of a kind has: their names identify nobody.
_EVERYBODY = {"pi", "root", "user", "ubuntu"}
_PYTHON = "python"
# A word with the punctuation around it. Options begin with dashes.
_CHUNK = re.compile(r"(?P<before>[(\[{<'\"`-]*)(?P<core>.*?)(?P<after>[)\]}>'\"`,.;:!?]*)", re.DOTALL)
_QUOTED = re.compile(r"""(['"`])([^\n]*?)\1(?=[\s,.;:)\]]|\Z)""")
_REPEATED = re.compile(rf"{UNTOLD}(?:\W*\s\W*{UNTOLD})+")
# Three numbers at most: four are an address. Four digits at most: more may be anybody's.
_NUMBER = re.compile(r"[+-]?\d{1,4}(?:\.\d{1,4}){0,2}(?:(?:a|b|rc|\.post|\.dev)\d{1,3}|e-?\d{1,2})?%?|0x[0-9a-f]{1,4}")
# Of parts of one character, which tell nothing by themselves: four are an address again.
_MOST_SINGLE = 3
# A build of every night has its time for a number: 14 digits.
_VERSION = re.compile(r"\d{1,4}(?:\.\d{1,4}){0,4}(?:(?:a|b|rc|\.post|\.dev)\d{1,14})*")
_SYMBOL_VERSION = re.compile(r"(?:GLIBC|GLIBCXX|CXXABI)_\d{1,2}(?:\.\d{1,3}){0,3}")
# A library's number, which follows its name.
_LIBRARY = re.compile(r"\.so(?:\.\d{1,3}){0,3}")
# Models and clocks of hardware: 8481C, E5, v4, 7B13, 2.70GHz.
_MODEL = re.compile(r"[A-Za-z]{0,2}\d{1,5}(?:[A-Za-z]{1,2}\d{0,3})?|\d\.\d{1,2}[GM]Hz|rpi\d")
_SYSTEM = re.compile(r"(?P<name>\w+) (?P<release>\d+(?:\.\d+){0,2})(?P<rest>.*)", re.DOTALL)
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class _Teller:
    """Says what may be told of each kind of value. files: those of which the report is, which it may name."""

    files: Collection[Path]

    def number(self, value: Any) -> Any:
        return value if isinstance(value, bool | int | float) else None

    def text(self, value: Any) -> str | None:
        return self._words(value, lambda word: self._is_any_of(word, _WORDS)) if isinstance(value, str) else None

    def hardware(self, value: Any) -> str | None:
        return self._words(value, self._is_hardware) if isinstance(value, str) else None

    def system(self, value: Any) -> str | None:
        """Tell a kernel's name and release; what its builder has added, only if it is known."""
        match = _SYSTEM.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            return self.hardware(value)
        added = (part for part in re.split(r"[-+.~]", match["rest"]) if part)
        known = all(self._is_hardware(part) for part in added)
        return f"{self.hardware(match['name'])} {match['release']}{match['rest'] if known else f'-{UNTOLD}'}"

    def version(self, value: Any) -> str:
        return value if isinstance(value, str) and _VERSION.fullmatch(value) else UNTOLD

    def digest(self, value: Any) -> str:
        return value if isinstance(value, str) and _DIGEST.fullmatch(value) else UNTOLD

    def file(self, value: Any) -> str | None:
        """Tell the name of a file, without its folder and without the names of user and host."""
        if not isinstance(value, str):
            return None
        name = str(printable(PureWindowsPath(value).name))
        for private in sorted(self._private - _EVERYBODY, key=len, reverse=True):
            name = re.sub(rf"(?<![a-z0-9]){re.escape(private)}(?![a-z0-9])", UNTOLD, name, flags=re.IGNORECASE)
        return name

    def subject(self, value: Any) -> str | None:
        """Tell what a finding is about: a file of the report, or a part."""
        return self.file(value) if value in {str(path) for path in self.files} else self.text(value)

    @cached_property
    def _private(self) -> set[str]:
        return {name.casefold() for name in _names_here()}

    @cached_property
    def _known_names(self) -> re.Pattern[str]:
        known = sorted({interpreter(), *(str(path) for path in self.files)}, key=len, reverse=True)
        return re.compile(rf"(?<![^\s'\"(])({'|'.join(map(re.escape, known))})(?![^\s'\":,;)])")

    @cached_property
    def _packages(self) -> set[str]:
        """The names of all distributions that toolkit knows, their tested versions, its extras, and its own parts."""
        brought = {name for names in (DISTRIBUTION_OF.keys(), DISTRIBUTION_OF.values()) for name in names}
        parts = registry.names("toolkit.runtimes")
        tested = constraints.tested()
        known = {*tested, *tested.values(), *brought, *parts, "edge-model-toolkit", "ai-edge-litert", "numpy", "pillow"}
        known |= {
            f"edge-model-toolkit[{extra}]"
            for extra in ("edge", "litert", "onnx", "micro", "train", "gpu", "cluster", "serve")
        }
        return {name.casefold() for name in known}

    def _words(self, text: str, is_known: Callable[[str], bool]) -> str:
        told = []
        for position, piece in enumerate(self._known_names.split(text)):
            if position % 2:
                told.append(_PYTHON if piece == interpreter() else str(self.file(piece)))
            else:
                told.append(_chunks(_QUOTED.sub(lambda quoted: _quoted(quoted, is_known), piece), is_known))
        return _REPEATED.sub(UNTOLD, str(printable("".join(told))))

    def _is_hardware(self, word: str) -> bool:
        if _MODEL.fullmatch(word):
            return True
        parts = re.split(r"[-_()]", word)
        return self._is_any_of(word, _ALL_WORDS) or (
            all(_MODEL.fullmatch(part) or part.casefold() in _ALL_WORDS for part in parts) and len(parts) > 1
        )

    def _is_any_of(self, word: str, words: Collection[str]) -> bool:
        if word in _NAMES or _NUMBER.fullmatch(word) or _SYMBOL_VERSION.fullmatch(word):
            return True
        word = word.casefold()
        if word in _NUMBERED or word in self._packages:
            return True
        name, is_pinned, pinned = word.partition("==")
        if is_pinned:
            return name in self._packages and bool(_VERSION.fullmatch(pinned))
        # Words that belong together, as in the names of modules: each of them must be known.
        parts = re.split(r"[-_.=:,'()\[\]]", _LIBRARY.sub("", word))
        private = self._private - _EVERYBODY
        if sum(len(part) == 1 for part in parts) > _MOST_SINGLE:
            return False
        return all((part in words or (len(part) == 1 and part.isascii())) and part not in private for part in parts)


def _chunks(text: str, is_known: Callable[[str], bool]) -> str:
    return "".join(part if not part.strip() else _chunk(part, is_known) for part in re.split(r"(\s+)", text))


def _chunk(chunk: str, is_known: Callable[[str], bool]) -> str:
    match = _CHUNK.fullmatch(chunk)
    if match is None or (match["core"] and not is_known(match["core"])):
        return UNTOLD + (match["after"] if match else "")
    return chunk


def _quoted(match: re.Match[str], is_known: Callable[[str], bool]) -> str:
    """Keep all that stands between two quotes, or none of it: words of a path are no words of a sentence."""
    return match[0] if UNTOLD not in _chunks(match[2], is_known) else UNTOLD


def _names_here() -> Iterator[str]:
    host = platform.node()
    yield from (name for name in {host, *re.split(r"[.-]", host), Path("~").expanduser().name} if name)
    yield from (name for variable in ("USER", "LOGNAME", "SUDO_USER") if (name := os.environ.get(variable)))
    with suppress(OSError, KeyError):  # a process of a user that has no entry
        yield getpass.getuser()


_WORDS = frozenset(f"{vocabulary.OWN} {vocabulary.SYSTEM} {vocabulary.SOFTWARE}".split())
_ALL_WORDS = _WORDS | frozenset(vocabulary.HARDWARE.split())
_NUMBERED = frozenset(vocabulary.NUMBERED.split())
_NAMES = frozenset(
    [name for module in (builtins, errors) for name, one in vars(module).items() if isinstance(one, type)]
    + [one.name for one in signal.Signals]
    + ["·", "–", "—", "=", "+", "@", "|", "°C", "…", "/", "&", UNTOLD]
)

_T = _Teller
_FINDING = {"name": _T.subject, "state": _T.text, "text": _T.text, "remedy": _T.text}
# The document of `toolkit doctor`: a record by its keys, a list by what it holds, and (kind, kind) what has free keys.
_DOCUMENT: dict[str, Any] = {
    "schema": _T.number,
    "command": _T.text,
    "toolkit": _T.version,
    "host": {
        **dict.fromkeys(("cpu", "arch", "model", "governor", "virtual", "kernels"), _T.hardware),
        **dict.fromkeys(("cores", "memory_bytes", "emulated"), _T.number),
        "throttled": [_T.text],
        "os": _T.system,
        "python": _T.version,
    },
    "state": {
        **dict.fromkeys(("clock_hz", "temperature_c", "load", "running", "throttled", "steal_s"), _T.number),
        "governor": _T.hardware,
    },
    "instruction_sets": (_T.text, _T.number),
    **dict.fromkeys(("available_memory_bytes", "disk_bytes", "free_disk_bytes", "bits"), _T.number),
    "packages": (_T.text, _T.version),
    "tested_otherwise": (_T.text, _T.version),
    "parts": [{**_FINDING, "versions": (_T.text, _T.version), "devices": [_T.hardware]}],
    "data": (_T.text, _T.number),
    "artifacts": [
        {
            "path": _T.file,
            "sha256": _T.digest,
            "problem": _T.text,
            "golden": _T.text,
            **dict.fromkeys(("size_bytes", "listed"), _T.number),
        }
    ],
    "findings": [_FINDING],
    "verdict": _T.text,
}


def redact(document: dict[str, Any], files: Collection[Path] = ()) -> dict[str, Any]:
    """Return of a report's document what may be told. files: those that the report is about; their names are told."""
    result: dict[str, Any] = _tell(_Teller(files), document, _DOCUMENT)
    return result


def _tell(teller: _Teller, value: Any, kind: Any) -> Any:
    if isinstance(kind, dict):
        return {key: _tell(teller, one, kind[key]) for key, one in value.items() if key in kind}
    if isinstance(kind, list):
        return [_tell(teller, one, kind[0]) for one in value]
    if isinstance(kind, tuple):
        of_key, of_value = kind
        return {key: of_value(teller, one) for key, one in value.items() if of_key(teller, key) == key}
    return kind(teller, value)
