"""Write docs/commands.md anew, from what Typer knows of the verbs: python -m tests.command_reference."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
INTRODUCTION = """\
# Every command and option

This page lists every verb with its arguments, options and defaults. `make docs` writes it from the program itself.

"""
_SECTION = re.compile(r"^#+ `(?P<command>[^`]+)`\n\n(?P<summary>.+)$", re.MULTILINE)
_LISTED = re.compile(r"^\* `(?P<verb>[^`-]\S*)`: .*$", re.MULTILINE)


def render() -> str:
    """Return the page: what Typer writes of the program, each list of commands with links and whole sentences."""
    command = [sys.executable, "-m", "typer", "toolkit.cli", "utils", "docs", "--name", "toolkit"]
    written = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
    sections = {section["command"]: section["summary"] for section in _SECTION.finditer(written)}
    parts = re.split(r"(?m)^(?=#+ `)", written)
    linked = "".join(_with_links(part, sections) for part in parts)
    return INTRODUCTION + re.sub(r"(?m)^# (?=`)", "## ", linked).strip() + "\n"


def _with_links(part: str, sections: dict[str, str]) -> str:
    """Return the section of one command, its list of commands linked; Typer cuts their sentences off."""
    of = _SECTION.match(part)

    def link(listed: re.Match[str]) -> str:
        command = f"{of['command'] if of else ''} {listed['verb']}".strip()
        return f"* [`{listed['verb']}`](#{command.replace(' ', '-')}): {sections[command]}"

    head, listing, rest = part.partition("**Commands**:\n")
    return head + listing + _LISTED.sub(link, rest)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
