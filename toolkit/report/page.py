"""The page of a report: its sections one below the other, each with what computes its figures again."""

from datetime import UTC, datetime

from toolkit import __version__
from toolkit.bench import passing_on
from toolkit.errors import ToolkitError
from toolkit.report import sections, style
from toolkit.report.markup import Markup, code, element, escaped, joined, paragraph
from toolkit.report.sections.base import Section, SectionModule
from toolkit.report.subject import Subject

# What a page may load and run: what it holds itself, and no script.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def render(subject: Subject) -> tuple[str, dict[str, str]]:
    """Return the page of an export as HTML, and why a section has nothing to show, by its title."""
    parts, links, absent = [], [], {}
    for module in sections.in_order():
        anchor = module.__name__.rpartition(".")[2]
        try:
            part = _shown(module, module.show(subject))
        except ToolkitError as error:
            absent[module.TITLE] = str(error)
            part = element("p", f"{error}.", class_="absent")
        links.append(element("a", module.TITLE, href=f"#{anchor}"))
        parts.append(element("section", element("h2", module.TITLE), part, id=anchor))
    manifest = subject.manifest
    made = f"Made by toolkit {__version__} on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC from {subject.folder}."
    body = joined([element("h1", manifest.title), element("nav", *links), *parts, element("footer", paragraph(made))])
    # It is passed on: of a folder elsewhere it tells the name alone.
    called = passing_on.folder(subject.folder)
    return _document(manifest.title, body).replace(escaped(subject.folder), escaped(called)), absent


def _shown(module: SectionModule, section: Section) -> Markup:
    commands = [element("li", code(command), f": {what}") for command, what in section.again.items()]
    if not commands:
        return section.body
    return joined([section.body, element("div", "How to compute it again:", element("ul", *commands), class_="again")])


def _document(title: str, body: Markup) -> str:
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("title", title),
        element("style", Markup(f"\n{style.COLOURS}\n{style.PAGE}\n")),
    )
    return f"<!DOCTYPE html>\n{element('html', head, element('body', body), lang='en')}\n"
