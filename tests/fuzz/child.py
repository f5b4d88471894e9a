"""Gives damaged files to one target: ``python -m tests.fuzz.child NAME COUNT SEED FOLDER``.

For every input it prints a line of JSON: whether it was read or refused, or what happened that may not. A process that
dies or hangs leaves its last input as FOLDER/input, with its suffix.
"""

import json
import os
import shutil
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.target import Target
from tests.fuzz.targets import targets
from toolkit.errors import ToolkitError
from toolkit.host import process_memory_bytes

CORPUS = Path(__file__).parent / "corpus"
# Bytes that this process may take for one input beside what it had, and seconds and bytes that a worker may.
MOST_BYTES = 1 << 30
WORKER_SECONDS, WORKER_BYTES = "5", str(2 << 30)
READ, REFUSED = "read", "refused"
MOST_CHARACTERS = 2000


def corpus(name: str) -> list[Path]:
    """Return the inputs of a target that once failed."""
    return sorted((CORPUS / slug(name)).glob("*"))


def slug(name: str) -> str:
    """Return a target's name as a name of files."""
    return "-".join(name.replace(",", "").replace("--", "").split())


def run(name: str, count: int, number: int, folder: Path, tell: Callable[[dict[str, Any]], None]) -> None:
    """Give the corpus, and ``count`` new inputs of the seed ``number``, to a target; tell what became of each."""
    target = targets()[name]
    good, work = folder / "good", folder / "work"
    good.mkdir(parents=True)
    files = [path.relative_to(good) for path in target.prepare(good)]
    shutil.copytree(good, work)
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)  # as in pyproject.toml
    first = outcome(target, work)  # what is loaded once takes its memory now
    if first.get("outcome") != READ:
        raise AssertionError(f"the good files of {name} are not read: {first}")

    def give(file: Path, content: bytes) -> None:
        shutil.rmtree(work)
        shutil.copytree(good, work)
        (work / file).write_bytes(content)
        (folder / f"input{file.suffix}").write_bytes(content)
        target.mend(work)
        tell(outcome(target, work))

    for kept in corpus(name):
        give(next(file for file in files if file.suffix == kept.suffix), kept.read_bytes())
    damaged = st.sampled_from(files).flatmap(
        lambda file: st.tuples(st.just(file), target.damage((good / file).read_bytes()))
    )
    exploring = settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    seed(number)(exploring(given(damaged)(lambda one: give(*one))))()


def outcome(target: Target, folder: Path) -> dict[str, Any]:
    """Return what became of an input: read, or refused in one line, or what else happened as ``bad``."""
    before = process_memory_bytes("VmHWM") or 0
    try:
        target.read(folder)
        found = {"outcome": READ}
    except ToolkitError as error:
        text = str(error)
        found = {"outcome": REFUSED, "message": text[:MOST_CHARACTERS]}
        if "\n" in text:
            found = {"bad": "more than a line", "message": repr(text)}
    except Exception as error:  # noqa: BLE001 — whatever it is, it is what is looked for
        where = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{error} ({Path(where.filename).name}:{where.lineno})"
        found = {"bad": type(error).__name__, "message": text[-MOST_CHARACTERS:]}
    taken = (process_memory_bytes("VmHWM") or 0) - before
    return {"bad": "memory", "message": f"{taken:,} bytes"} if taken > MOST_BYTES else found


def main(name: str, count: str, number: str, folder: str) -> None:
    """Write what became of each input to stdout, where nothing else may print."""
    answers = os.fdopen(os.dup(1), "w", closefd=False)
    os.dup2(2, 1)
    os.environ |= {"TOOLKIT_WORKER_SECONDS": WORKER_SECONDS, "TOOLKIT_WORKER_BYTES": WORKER_BYTES}
    run(name, int(count), int(number), Path(folder), lambda told: print(json.dumps(told), file=answers, flush=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
