"""Draw what matters of a real ``toolkit run``, in its own words and figures.

The run is docs/run.txt. Where that is missing, it is recorded first, and docs/flips.png is drawn of a smaller run.
"""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from itertools import dropwhile, takewhile
from pathlib import Path

from rich.console import Console
from rich.text import Text

RECORDED, PICTURE, FLIPS_PICTURE = (Path(__file__).with_name(name) for name in ("run.txt", "run.svg", "flips.png"))
COMMAND = ("run", "--epochs", "5", "--name", "first")
# Of the sample, whose images may be passed on freely; a quick MLP, so that there are flips to show.
SMALL_RUN = ("run", "--data", "sample", "--model", "mlp", "--epochs", "5", "--name", "small", "--seconds", "0.1")
FLIPS = ("verify", "runs/small/exported", "--data", "sample", "--margin", "5", "--flips", str(FLIPS_PICTURE))
WIDTH, HEIGHT = 136, 80
# The lines that are shown, by how they begin, and of the table that follows the columns: what fits a page at a size
# that can be read.
SHOWN = {
    "3. verify": ("artifact", "accuracy", "change", "lost/gained", "verdict"),
    "4. bench": (),
    "Latency of one inference": ("artifact", "size", "median", "speed-up", "vs. float32"),
    "ship: ": (),
}
SHOWN_WIDTH = 82
GAP = 3


def record(command: tuple[str, ...], folder: str) -> str:
    """Run toolkit in a pseudo-terminal and return what it wrote to stdout, colours included."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "toolkit", *command],
        cwd=folder,
        stdout=follower,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm-256color"},
    )
    os.close(follower)
    chunks = []
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not chunk:
            break
        chunks.append(chunk)
    if process.wait() != 0:
        sys.exit(f"toolkit {' '.join(command)} ended with {process.returncode}")
    return b"".join(chunks).decode().replace("\r\n", "\n")


def excerpt(output: str) -> list[Text]:
    """Return the lines that are shown, with an ellipsis where others are left out."""
    lines = [Text.from_ansi(line) for line in output.splitlines()]
    for line in lines:
        line.rstrip()
    shown, left_out = [], False
    rest = iter(enumerate(lines, 1))
    for after, line in rest:
        beginning = next((one for one in SHOWN if line.plain.startswith(one)), None)
        if beginning is None:
            left_out = left_out or bool(line)
            continue
        if left_out:
            shown += [Text("…", style="dim"), Text()]
        shown.append(line)
        left_out = False
        if names := SHOWN[beginning]:
            table = list(takewhile(bool, dropwhile(lambda one: not one, lines[after:])))
            shown += [Text(), *columns(table, names)]
            for _ in range(lines.index(table[-1], after) - after + 1):
                next(rest)
    return shown


def columns(table: list[Text], names: tuple[str, ...]) -> list[Text]:
    """Return the lines of a table with the columns of those headings alone; a gap divides columns in every line."""
    written = [line.plain for line in table if "─" not in line.plain]
    places = range(max(map(len, written)))
    blank = "".join(" " if all(not line[i : i + 1].strip() for line in written) else "x" for i in places)
    spans = [match.span() for match in re.finditer(rf"x+( {{1,{GAP - 1}}}x+)*", blank)]
    by_name = {written[0][first:last].strip(): (first, last) for first, last in spans}
    kept = []
    for line in table:
        cells = [line[first:last] for first, last in (by_name[name] for name in names)]
        for cell, name in zip(cells, names, strict=True):
            cell.pad_right(by_name[name][1] - by_name[name][0] - len(cell))
        kept.append(Text(" ") + Text(("─" if "─" in line.plain else " ") * GAP).join(cells))
    return kept


def draw(output: str) -> str:
    """Return the picture of a recorded run."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=SHOWN_WIDTH, file=nowhere, force_terminal=True, color_system="standard")
        console.print(Text(f"$ toolkit {' '.join(COMMAND)}", style="bold"))
        console.print(*excerpt(output), sep="\n")
        svg = console.export_svg(title="toolkit run (excerpt)")
    # The reader's own monospaced font: a page that shows the picture need not fetch one from elsewhere.
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL).replace("Fira Code", "DejaVu Sans Mono")


def main() -> None:
    """Record the run where there is none, and draw it."""
    if not RECORDED.exists():
        with tempfile.TemporaryDirectory() as folder:
            output = record(COMMAND, folder)
            record(SMALL_RUN, folder)
            record(FLIPS, folder)
        RECORDED.write_text(output, encoding="utf-8")
    PICTURE.write_text(draw(RECORDED.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
