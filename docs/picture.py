"""Draw what a terminal shows of a real ``toolkit run``, its own words and figures, and the flips of a smaller one."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

COMMAND = ("run", "--epochs", "5", "--name", "first")
# Of the sample, whose images may be passed on freely; a quick MLP, so that there are flips to show.
SMALL_RUN = ("run", "--data", "sample", "--model", "mlp", "--epochs", "5", "--name", "small", "--seconds", "0.1")
FLIPS = ("verify", "runs/small/exported", "--data", "sample", "--margin", "5", "--flips")
WIDTH, HEIGHT = 136, 80


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


def main() -> None:
    """Record the run and write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        output = record(COMMAND, folder)
        record(SMALL_RUN, folder)
        record((*FLIPS, str(Path(__file__).with_name("flips.png").resolve())), folder)
    console = Console(record=True, width=WIDTH, file=Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 — lives as long as the script
    console.print(Text(f"$ toolkit {' '.join(COMMAND)}", style="bold"))
    console.print(Text.from_ansi(output), soft_wrap=False)
    svg = console.export_svg(title="toolkit run")
    # The reader's own monospaced font: a page that shows the picture need not fetch one from elsewhere.
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL).replace("Fira Code", "DejaVu Sans Mono")
    Path(__file__).with_name("run.svg").write_text(svg)


if __name__ == "__main__":
    main()
