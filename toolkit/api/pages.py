"""What is shown of an export and of model files: a report, a graph, and the live page."""

from collections.abc import Callable
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from toolkit import extras
from toolkit.api.base import BENCHMARKS, EXPORTED
from toolkit.api.road import default_artifact
from toolkit.errors import UsageError, warn

if TYPE_CHECKING:
    from toolkit.report.graph import Graph
    from toolkit.report.write import Report
    from toolkit.serve.address import Address


def report(
    path: str | PathLike[str] = EXPORTED,
    *,
    output: str | PathLike[str] | None = None,
    record: str | PathLike[str] | None = None,
    data: str | PathLike[str] | None = None,
    pdf: bool = False,
) -> "list[Report]":
    """Write an HTML page of what is known of an export: what it is, verdicts, latencies, and what to ship.

    path: the folder of an export, or one of several, each of which gets a page. output: the page; None stands for
    ``report-FOLDER.html``. record: of a benchmark, its folder; None stands for the newest one of these files, in
    ``benchmarks/`` or in the run that the export is in. data: whose test images are shown, by name or path; None stands
    for those of the manifest, where they are on this machine. pdf: also print it into a file beside it, by Chromium.

    Each has ``.path``, and ``.absent``: what the page lacks, and why. Raises ArtifactError if the folder is no export,
    or the record none of its files, DataError if the data are not those that it was verified on, UsageError if one page
    was asked for of several exports, or if there is no Chromium to print with.
    """
    from toolkit import manifest as manifests
    from toolkit.bench.record import read
    from toolkit.files import relative_to_here
    from toolkit.report.subject import Subject
    from toolkit.report.write import write

    if Path(path).is_file():
        raise UsageError(f"{fspath(path)}: a file; give the folder of an export")
    folders = manifests.folders(relative_to_here(Path(path)) or Path(path).absolute())
    if output is not None and len(folders) > 1:
        raise UsageError(f"{path}: holds {len(folders)} exports, and one page was asked for; give one of them")
    given = None if record is None else read(Path(record))
    choice = None if data is None else fspath(data)
    written = []
    for folder in folders:
        manifest = manifests.read(folder)
        run = folder.resolve().parent.parent / BENCHMARKS.name
        subject = Subject(manifest, (run, BENCHMARKS), given, choice)
        subject.require_given()
        page = Path(output) if output is not None else Path(f"report-{folder.resolve().name}.html")
        written.append(write(subject, page, pdf=pdf))
    return written


def show(file: str | PathLike[str], *, picture: str | PathLike[str] | None = None) -> "Graph":
    """Return what a model file computes, operator by operator, as this machine executes it; a Keras file, its layers.

    picture: a .svg file to draw the graph into. ``.nodes`` has the operators with their shapes, ``.parameters``,
    ``.macs`` (multiply-accumulates of one inference) and ``.weight_bytes`` their sums. The file is opened in a process
    of its own. Raises ArtifactError if it is missing or damaged, UsageError if no runtime runs such files or the
    picture would be too large, MissingExtraError if its runtime is not installed.
    """
    from toolkit.files import write_text
    from toolkit.report import graph

    if picture is not None and Path(picture).suffix != ".svg":
        raise UsageError(f"{fspath(picture)}: a picture of a graph must end in .svg")
    drawn = graph.read(Path(file))
    if picture is not None:
        write_text(Path(picture), graph.standalone(graph.draw(drawn)))
    return drawn


def serve(
    *artifacts: str | PathLike[str],
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    input_range: str | None = None,
    on_ready: "Callable[[Address], None]",
    on_failure: Callable[[str], None] = warn,
) -> NoReturn:
    """Serve a live page of artifacts and its API until Ctrl-C, which is raised as KeyboardInterrupt; docs/serve.md.

    artifacts: one to four; none stands for ``default_artifact()``. host, port: where to listen; 0 stands for any port
    that is free. token: what a request must have; None has one made wherever other machines can ask. input_range: as
    for ``predict``. on_ready: called when requests are answered, with an address whose ``.link`` leads to the page.
    on_failure: told why a worker died; another takes its place. Raises UsageError for an address that cannot be had,
    ArtifactError for an artifact that cannot be opened, MissingExtraError without the extra ``serve``.
    """
    from toolkit.convention import parse

    extras.require("starlette", "uvicorn", "uvloop", "segno")
    from toolkit.serve import server
    from toolkit.serve.address import bind

    paths = [Path(artifact) for artifact in artifacts] or [default_artifact()]
    given = None if input_range is None else parse(input_range)
    server.names(paths)
    address = bind(host, port, token)
    server.serve(paths, address, given=given, warn=warn, on_ready=on_ready, on_failure=on_failure)
