"""``toolkit bundle``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api, units
from toolkit.cli.bench import live
from toolkit.cli.options import EXPORTED, Debug, Json
from toolkit.console import Column, Console
from toolkit.errors import CheckFailedError, UsageError
from toolkit.verdict import Verdict

if TYPE_CHECKING:
    from toolkit.bundle.choose import Choice
    from toolkit.manifest import Manifest


def command(
    model: Annotated[
        str | None, typer.Argument(help="A folder of artifacts, the name of one in exported/, or one artifact.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="The file to write; default: MODEL-QUANTIZATION-FORMAT.zip, here.")
    ] = None,
    check: Annotated[Path | None, typer.Option(help="A bundle whose digests are checked.")] = None,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Pack one file for a device: an artifact and what runs it.

    The file holds the artifact that bench recommends here, its golden, its manifest, a wheel and classify.py.
    """
    if (model is None) == (check is None):
        raise UsageError("name one model, for example exported/cnn or cnn, or one bundle by --check")
    if check is not None and output is not None:
        raise UsageError("--check writes nothing; leave out --output")
    console = Console(json_output=json)
    if check is not None:
        return _check(console, check)
    return _make(console, str(model), output)


def _make(console: Console, model: str, output: Path | None) -> int:
    from toolkit import runtimes
    from toolkit.bundle.choose import resolve
    from toolkit.bundle.make import make

    found, named = resolve(model, EXPORTED)
    choice = named or _recommend(console, found)
    if choice.artifact.verdict == Verdict.FAIL:
        console.warn(f"{choice.artifact.path} failed its verification")
    if named and (why := _otherwise(found, choice)):
        console.warn(f"{choice.artifact.path} answers otherwise here than where it was exported: {why}")
    bundle = make(found, choice.artifact, output)
    result = {**bundle.to_json(), "artifact": choice.artifact.path, "why": choice.why, "record": choice.record}
    console.table(
        (Column("file", figures=False), Column("sha256")),
        [(f"{bundle.name}/{file}", digest[:12]) for file, digest in bundle.digests.items()],
    )
    console.text(f"bundle: {bundle.path}, {units.size(result['size_bytes'])}, sha256 {result['sha256']}")
    console.text(f"artifact: {choice.artifact.path}: {choice.why}")
    needs = ", ".join(("Python", "numpy", *runtimes.get(bundle.runtime).DISTRIBUTIONS))
    console.text(f"on the device ({needs}):")
    console.text(f"  python3 -m zipfile -e {bundle.path.name} . && python3 {bundle.name}/classify.py")
    console.document({"schema": 1, "command": "bundle", **result})
    return 0


def _recommend(console: Console, found: "Manifest") -> "Choice":
    """Ask the newest benchmark that was made here, or make one."""
    from toolkit.bundle.choose import recommendation, recommended

    why = f"{found.folder}: no benchmark of these artifacts in {api.BENCHMARKS}/ was made here"
    if choice := recommended(found, api.BENCHMARKS):
        otherwise = _otherwise(found, choice)
        if otherwise is None:
            return choice
        why = f"{choice.artifact.path}, which {choice.record} recommends, answers otherwise here by now ({otherwise})"
    console.note(f"{why}: measuring")
    with live.shown(console) as show:
        record = api.bench(found.folder, on_step=show)
    if record.interrupted:
        raise KeyboardInterrupt
    return recommendation(record.to_json(), found)


def _otherwise(found: "Manifest", choice: "Choice") -> str | None:
    from toolkit.parity import recorded
    from toolkit.worker.session import contained

    with contained() as workers:
        return recorded.otherwise(found, choice.artifact, workers)


def _check(console: Console, path: Path) -> int:
    from toolkit.bundle.check import check

    checked = check(path)
    columns = (Column("file", figures=False), Column("sha256"))
    console.table(columns, [(name, digest[:12]) for name, digest in checked.digests.items()])
    for problem in checked.problems:
        console.text(f"{path}: {problem}")
    result = checked.to_json()
    console.text(f"{len(checked.digests)} files, {len(checked.problems)} problems; verdict: {result['verdict']}")
    console.document(result)
    return CheckFailedError.exit_code if checked.problems else 0
