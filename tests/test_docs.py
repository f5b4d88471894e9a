"""The documentation: every command that it shows is one that toolkit takes."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from toolkit.cli import VERBS, app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OPTIONS = {
    name: {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)}
    for name, command in typer.main.get_command(app).commands.items()
}


def commands(page):
    """Return the calls of toolkit in the page's shell blocks, without comments."""
    for block in re.findall(r"```(?:sh)?\n(.*?)```", page.read_text(), re.DOTALL):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words and Path(words[0]).name == "toolkit":
                yield words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_is_one_that_toolkit_takes(page):
    for _, verb, *words in commands(page):
        assert verb in VERBS
        unknown = {word.partition("=")[0] for word in words if word.startswith("-")} - OPTIONS[verb]
        assert not unknown, f"toolkit {verb} {' '.join(words)}"


def test_the_readme_shows_every_verb():
    readme = (ROOT / "README.md").read_text()
    assert {verb for verb in VERBS if f"toolkit {verb}" not in readme} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_files_that_a_page_links_are_there(page):
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []
