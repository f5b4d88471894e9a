"""The program, as ``toolkit`` and as ``python -m toolkit``."""

import sys

from toolkit.errors import INTERRUPTED


def main() -> None:
    """Run the command line of this process."""
    try:
        from toolkit import cli

        cli.main()
    except KeyboardInterrupt:  # Ctrl-C while modules are imported; later on Typer turns it into an exit code
        sys.stderr.write("error: interrupted\n")
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
