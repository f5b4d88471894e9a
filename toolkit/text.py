"""Text that can be shown on any terminal: nothing in it steers the terminal, and no character is missing there."""

import codecs
import io
import json
import re
import signal
from typing import Any, TextIO

# What Python makes of bytes that are none in the locale's encoding (PEP 383), and halves of characters by themselves.
_BYTES = re.compile("[\udc80-\udcff]+")
_HALVES = re.compile("[\ud800-\udfff]")
# What stands on a terminal that lacks a character; any other is a question mark there.
_PLAIN = {
    "µ": "u",
    "×": "x",
    "–": "-",
    "—": "-",
    "−": "-",
    "…": "...",
    "→": "->",
    "≤": "<=",
    "≥": ">=",
    "·": ".",
    **dict.fromkeys("─━", "-"),
}
_PLAINLY = "toolkit.plainly"
# What Markdown takes for more than itself, within a line; of underscores, those at the ends of words (CommonMark
# 0.31.2, section 6).
_MARKDOWN = re.compile(r"[\\`*<&\[\]|]|(?<![^\W_])_|_(?![^\W_])")
# How a text begins that is in UTF-16 (The Unicode Standard 15.0, section 23.8).
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def printable(value: Any, *, keep: str = "") -> Any:
    r"""Return a JSON value with an escape (``\x1b``) for each character that is neither printable nor kept.

    Those are controls, also those that change the direction of writing, and what is in no encoding. Keys are no
    exception.
    """
    if isinstance(value, str):
        return "".join(c if c.isprintable() or c in keep else _escape(c) for c in well_formed(value))
    if isinstance(value, list):
        return [printable(item, keep=keep) for item in value]
    if isinstance(value, dict):
        return {printable(key, keep=keep): printable(item, keep=keep) for key, item in value.items()}
    return value


def drawn(text: str) -> str:
    """Return a text for a picture: nothing in it is taken for a formula."""
    return str(printable(text)).replace("$", r"\$")


def in_markdown(text: str) -> str:
    """Return a text for the inside of a line of Markdown: nothing in it is taken for a picture, a link or emphasis.

    Nor does it end a cell of a table.
    """
    return _MARKDOWN.sub(r"\\\g<0>", printable(text))


def well_formed(text: str) -> str:
    r"""Return a text that every encoding of Unicode has: bytes of a name are read as UTF-8, or become ``\xff``."""
    read = _BYTES.sub(lambda run: run[0].encode(errors="surrogateescape").decode(errors="backslashreplace"), text)
    return _HALVES.sub(lambda half: _escape(half[0]), read)


def encoding_of(start: bytes) -> str:
    """Return the encoding of a text, as its first bytes tell: UTF-16 if they are its mark, else UTF-8."""
    return "utf-16" if start.startswith(_UTF_16) else "utf-8-sig"


def lines(text: str) -> list[str]:
    """Return the lines of what somebody else wrote that are not empty."""
    return [line for one in text.splitlines() if (line := printable(one.strip()))]


def signal_name(number: int) -> str:
    """Return what a signal is called: ``SIGSEGV``, or ``signal 35`` for one that has only a number."""
    try:
        return signal.Signals(number).name
    except ValueError:  # most of the real-time signals
        return f"signal {number}"


def to_json(document: Any, *, encoding: str = "utf-8") -> str:
    """Return a JSON document, indented, with a final line break.

    Escaped is what is not printable, what ``encoding`` lacks, and nothing else.
    """
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    for malformed in (_BYTES, _HALVES):
        text = malformed.sub(lambda run: json.dumps(well_formed(run[0]), ensure_ascii=False)[1:-1], text)
    strange = (c for c in set(text) if c != "\n" and not (c.isprintable() and c.encode(encoding, "ignore")))
    return text.translate({ord(c): json.dumps(c)[1:-1] for c in strange})


def write_plainly(stream: TextIO | None) -> None:
    """Let a stream write something else for a character that its encoding lacks, if it would raise an error."""
    codecs.register_error(_PLAINLY, _plainly)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=_PLAINLY)


def _plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_PLAIN.get(c, "?") for c in error.object[error.start : error.end]), error.end


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
