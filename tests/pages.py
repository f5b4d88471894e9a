"""Pages of docs/ that tests follow to the letter: all their shell blocks, in one shell."""

import re
import subprocess
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def lines(page):
    """Return the lines of the shell blocks of a page."""
    return "".join(re.findall(r"```sh\n(.*?)```", (DOCS / page).read_text(), re.DOTALL))


def follow(page, folder, environment, *, ends_with):
    """Run every line in a folder; each is printed before it runs. ends_with: other exit codes than 0, by a pattern."""
    script = lines(page)
    for command, code in ends_with.items():
        script, count = re.subn(rf"^({command}.*)$", rf"\1 || test $? = {code}", script, flags=re.MULTILINE)
        assert count, command
    shell = ["bash", "-evc", script]
    return subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def check_followed(done):
    """Assert that every line came to its end; show the end of what they said."""
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
