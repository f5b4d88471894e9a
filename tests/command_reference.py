"""Write docs/commands.md anew, from what Typer knows of the verbs: python -m tests.command_reference."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import typer
from typer.core import TyperArgument, TyperOption

from toolkit.cli import app

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
INTRODUCTION = """\
# Every command and option

This page lists every verb with its arguments, options and defaults. `make docs` writes it from the program itself.

"""
_SECTION = re.compile(r"^#+ `(?P<command>[^`]+)`\n\n(?P<summary>.+)$", re.MULTILINE)
_LISTED = re.compile(r"^\* `(?P<name>[^` ,]+)[^`]*`.*$", re.MULTILINE)


def render() -> str:
    """Return the page: what Typer writes of the program, under the headings of the help, with links to the verbs."""
    command = [sys.executable, "-m", "typer", "toolkit.cli", "utils", "docs", "--name", "toolkit"]
    written = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
    summaries = {section["command"]: section["summary"] for section in _SECTION.finditer(written)}
    commands = dict(_commands("toolkit", typer.main.get_command(app)))
    parts = [_section(part, commands, summaries) for part in re.split(r"(?m)^(?=#+ `)", written) if part]
    return INTRODUCTION + re.sub(r"(?m)^# (?=`)", "## ", "".join(parts)).strip() + "\n"


def _commands(words: str, command: typer.core.TyperCommand) -> Iterator[tuple[str, typer.core.TyperCommand]]:
    """Yield a command and those below it, by their words: ``toolkit record check``."""
    yield words, command
    for name, below in getattr(command, "commands", {}).items():
        yield from _commands(f"{words} {name}", below)


def _section(part: str, commands: dict[str, typer.core.TyperCommand], summaries: dict[str, str]) -> str:
    """Return the section of one command: options and verbs under their headings, each verb with a link."""
    words = _SECTION.match(part)["command"]
    options = (one for one in commands[words].params if isinstance(one, TyperOption | TyperArgument))
    panels = {option.opts[0]: option.rich_help_panel for option in options}
    part = _under_headings(part, "Options", panels)
    below = getattr(commands[words], "commands", {})
    part = _under_headings(part, "Commands", {name: command.rich_help_panel for name, command in below.items()})

    def link(listed: re.Match[str]) -> str:
        full = f"{words} {listed['name']}"
        if full not in summaries:
            return listed[0]
        return f"* [`{listed['name']}`](#{full.replace(' ', '-')}): {summaries[full]}"

    return _LISTED.sub(link, part)


def _under_headings(part: str, heading: str, panels: dict[str, str | None]) -> str:
    """Return a section whose list ``heading`` is divided by the headings of the help."""
    head, found, rest = part.partition(f"**{heading}**:\n\n")
    lines, _, rest = rest.partition("\n\n")
    divided: dict[str, list[str]] = {}
    for line in lines.splitlines() if found else ():
        divided.setdefault(panels.get(_LISTED.match(line)["name"]) or heading, []).append(line)
    lists = "".join(f"**{title}**:\n\n" + "\n".join(listed) + "\n\n" for title, listed in divided.items())
    return head + lists + rest if found else part


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
