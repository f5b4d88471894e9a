"""How long ``toolkit --help`` takes beside ``import typer``: medians of processes started in turns."""

import statistics
import subprocess
import sys
import time

COMMANDS = {
    "import typer": [sys.executable, "-c", "import typer"],
    "toolkit --help": [sys.executable, "-m", "toolkit", "--help"],
}


def main() -> None:
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(15):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            taken[name].append(time.perf_counter() - start)
    base, help_s = (statistics.median(taken[name]) for name in COMMANDS)
    print(
        f"import typer {base * 1e3:.0f} ms, toolkit --help {help_s * 1e3:.0f} ms: ratio {help_s / base:.2f} (at most 2)"
    )


if __name__ == "__main__":
    main()
