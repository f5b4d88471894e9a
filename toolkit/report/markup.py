"""HTML and SVG, element by element: what is not markup already is text, and is escaped where it becomes part of it."""

import html
from collections.abc import Iterable, Mapping, Sequence

from toolkit.console import Column
from toolkit.text import printable
from toolkit.verdict import Verdict

# Elements that have no content and no end.
_VOID = ("br", "img", "meta")
# What says a verdict where there is no colour.
_SIGNS = {Verdict.PASS: "✓", Verdict.FAIL: "✗", Verdict.INCONCLUSIVE: "?"}


class Markup(str):
    """HTML or SVG. Any other text is escaped."""

    __slots__ = ()


def escaped(content: object) -> Markup:
    """Return what is no markup as text: nothing in it is an element, and all of it can be printed."""
    return content if isinstance(content, Markup) else Markup(html.escape(str(printable(str(content)))))


def joined(parts: Iterable[object]) -> Markup:
    """Return parts one behind the other."""
    return Markup("".join(escaped(part) for part in parts))


def element(name: str, /, *content: object, **attributes: object) -> Markup:
    """Return an element. attributes: ``class_`` stands for class, ``font_size`` for font-size; None leaves one out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(_plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>" if name in _VOID else f"<{name}{written}>{joined(content)}</{name}>")


def paragraph(*content: object) -> Markup:
    """Return a paragraph."""
    return element("p", *content)


def table(columns: Sequence[Column], rows: Iterable[Sequence[object]], *, foot: Sequence[object] = ()) -> Markup:
    """Return a table; one that is wider than the page is moved on its own. foot: a last row that is no data."""
    looks = ["figure" if column.figures else None for column in columns]

    def row(kind: str, cells: Sequence[object]) -> Markup:
        return element("tr", *(element(kind, cell, class_=look) for cell, look in zip(cells, looks, strict=True)))

    head = element("thead", row("th", [column.heading for column in columns]))
    body = element("tbody", *(row("td", cells) for cells in rows))
    end = (element("tfoot", row("td", foot)),) if foot else ()
    return element("div", element("table", head, body, *end), class_="wide")


def facts(pairs: Mapping[str, object]) -> Markup:
    """Return a list of what is known, by its name."""
    parts = (part for name, value in pairs.items() for part in (element("dt", name), element("dd", value)))
    return element("dl", *parts)


def verdict(reached: Verdict | None) -> Markup:
    """Return a verdict with its sign."""
    if reached is None:
        return element("span", "not verified", class_="verdict")
    return element("span", f"{_SIGNS[reached]} {reached}", class_=f"verdict {reached}")


def code(text: object) -> Markup:
    """Return the name of a file, or a command."""
    return element("code", text)


def _plain(value: object) -> object:
    """Return a number as short as it may be in a picture."""
    return f"{value:.5g}" if isinstance(value, float) else value
