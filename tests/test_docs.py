"""The documentation: commands that toolkit takes, links that lead somewhere, and sentences that can be read once."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer

from tests import command_reference
from tests.pages import FENCE
from toolkit.cli import VERBS, app

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS]
# The verbs whose page has another name.
PAGE_OF = {
    "certify": "bench",
    "check-bundle": "bundle",
    "compare": "bench",
    "device": "remote",
    "diagnose": "verify",
    "localize": "evidence",
    "record": "bench",
    "report-study": "study",
    "selftest": "evidence",
    "wheels": "remote",
}
MOST_WORDS = 600
OPTIONS = {
    name: {
        flag
        for below in getattr(command, "commands", {"": command}).values()
        for option in below.params
        for flag in (*option.opts, *option.secondary_opts)
    }
    for name, command in vars(typer.main.get_command(app))["commands"].items()
}
# Sentences that nobody got through, and words of this project alone for what the field has words for.
UNREADABLE = (
    "as long as two readings of the clock are apart",
    "less that of the artifact cut off",
    "calls the same different",
    "of the first what there is",
    "of those that are not surely slower",
    "one is surely 5 % slower",
    "it is cut into calls",
    "not there, or no longer, is given up",
    "(of the medians over their seeds)",
    "A signature it is not",
    "held against",
    "holds each against",
    "answers otherwise",
)
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def prose(page):
    """Return the text of a page without blocks of code."""
    return FENCE.sub("", page.read_text())


def commands(page):
    """Return the calls of toolkit in the page's shell blocks, without comments, and those in its sentences."""
    blocks = [block for language, block in FENCE.findall(page.read_text()) if language in ("", "sh")]
    lines = [line for block in blocks for line in block.splitlines()]
    quoted = [" ".join(code.split()) for code in re.findall(r"`(toolkit\s[^`]+)`", prose(page))]
    for line in (*lines, *quoted):
        words = shlex.split(line, comments=True)
        if words and Path(words[0]).name == "toolkit":
            yield words


def anchors(page):
    """Return the anchors of a page's headings, as GitHub and the site make them."""
    headings = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in _HEADING.findall(prose(page)))
    return {re.sub(r"[^\w -]", "", heading).strip().replace(" ", "-") for heading in headings}


@each_page
def test_every_command_of_a_page_is_one_that_toolkit_takes(page):
    for _, verb, *words in commands(page):
        if verb.startswith("--"):
            continue
        assert verb in VERBS
        unknown = {word.partition("=")[0] for word in words if word.startswith("-")} - OPTIONS[verb]
        assert not unknown, f"toolkit {verb} {' '.join(words)}"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_page_that_shows_it(verb):
    shown = {called for _, called, *_ in commands(ROOT / "docs" / f"{PAGE_OF.get(verb, verb)}.md")}
    assert verb in shown


def test_the_command_reference_is_what_the_program_says():
    assert command_reference.PAGE.read_text() == command_reference.render(), "make docs, and commit the page"


def test_the_readme_can_be_read_to_its_end():
    text = re.sub(r"\]\([^)]*\)", "]", prose(README))
    words = [word for word in text.split() if re.search(r"\w", word)]
    assert len(words) <= MOST_WORDS


def test_the_readme_links_every_page():
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in _LINK.findall(README.read_text())}
    assert [page.name for page in PAGES if page != README and page not in linked] == []


def test_the_site_has_every_page():
    def named(entries):
        for entry in entries:
            for value in entry.values():
                yield from [value] if isinstance(value, str) else named(value)

    site = tomllib.loads((ROOT / "zensical.toml").read_text())
    assert {str(page.relative_to(ROOT)) for page in PAGES} - set(named(site["project"]["nav"])) == set()


@each_page
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page):
    broken = []
    for link in _LINK.findall(prose(page)):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", [*DOCS, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_a_page_begins_with_a_sentence_that_says_what_it_is_for(page):
    title, _, first, *_ = page.read_text().split("\n")
    assert title.startswith("# ")
    verb = title.removeprefix("# toolkit ")
    assert first.startswith((f"`toolkit {verb}` ", "`toolkit study` ", "This page ", "This tutorial "))


@pytest.mark.parametrize("page", [README, ROOT / "CONTRIBUTING.md", *DOCS], ids=lambda page: page.name)
def test_no_sentence_has_to_be_read_twice(page):
    text = " ".join(page.read_text().split())
    assert [phrase for phrase in UNREADABLE if phrase in text] == []


def test_the_program_has_none_of_these_sentences():
    texts = {path.relative_to(ROOT): " ".join(path.read_text().split()) for path in (ROOT / "toolkit").rglob("*.py")}
    assert [(str(path), phrase) for path, text in texts.items() for phrase in UNREADABLE if phrase in text] == []
