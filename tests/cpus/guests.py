"""A Python on every emulated CPU.

    python -m tests.cpus.guests build
    python -m tests.cpus.guests run --cpu cortex-a76 -- -m toolkit verify --golden

Arm gets a user-space of its own, with what a Raspberry Pi installs; x86-64 the packages of this checkout's environment.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tests.cpus import userspace, x86
from tests.cpus.table import CPUS

# Compiles the plugin that counts instructions.
COMPILER = {"gcc": "gcc libc6-dev"}


def build() -> dict[str, Path]:
    """Build what is missing or old, and return the Python of each CPU; nobody rebuilds it while this process lives."""
    return {**x86.build(), **dict.fromkeys(userspace.CPUS, userspace.build().python)}


def build_or_exit() -> dict[str, Path]:
    """Build for a command line: what is missing is one line."""
    for program, package in {**{cpu.emulator: "qemu-user" for cpu in CPUS.values()}, **COMPILER}.items():
        if shutil.which(program) is None:
            sys.exit(f"{program} is not installed; install it with: apt-get install --no-install-recommends {package}")
    try:
        return build()
    except FileNotFoundError as error:
        sys.exit(f"the arm64 user-space was not built: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"the arm64 user-space was not built: {shlex.join(map(str, error.cmd))} ended with {error.returncode}")


def main() -> None:
    """Build, or run the Python of a CPU."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("build")
    run = verbs.add_parser("run")
    run.add_argument("--cpu", choices=CPUS, required=True)
    run.add_argument("arguments", nargs="*", help="of Python, after --")
    chosen = parser.parse_args()
    pythons = build_or_exit()
    if chosen.verb == "build":
        print("\n".join(f"{cpu}\t{python}" for cpu, python in pythons.items()))
    else:
        python = pythons[chosen.cpu]
        os.execve(python, [str(python), *chosen.arguments], userspace.environment(chosen.cpu))


if __name__ == "__main__":
    main()
