"""What was exported: the files, their sizes, what goes in and what comes out."""

from collections.abc import Sequence

from toolkit import units
from toolkit.console import Column, text_columns
from toolkit.errors import ArtifactError
from toolkit.manifest import Artifact
from toolkit.report import svg
from toolkit.report.markup import Markup, code, joined, paragraph, table
from toolkit.report.sections.base import Section, command
from toolkit.report.subject import Subject

ORDER, TITLE = 35, "Files"
WIDTH, HEIGHT = 220.0, 16.0
_COLUMNS = (
    *text_columns("file", "size"),
    Column("bytes"),
    *text_columns("format", "arithmetic"),
    Column("input → output"),
)


def show(subject: Subject) -> Section:
    """Return the sizes of the artifacts beside the Keras original."""
    original = subject.manifest.reference_path
    sizes = {original.name: original.stat().st_size} if original.is_file() else {}
    sizes |= {artifact.path: artifact.size_bytes for artifact in subject.manifest.artifacts}
    if not subject.manifest.artifacts:
        raise ArtifactError(f"{subject.folder}: its manifest lists no artifact")
    largest = max(1, *sizes.values())
    rows: list[Sequence[object]] = [
        (code(name), _bar(name, size, largest), f"{size:,}", "keras", "float32", "")
        for name, size in sizes.items()
        if name == original.name
    ]
    rows += [_row(artifact, largest) for artifact in subject.manifest.artifacts]
    problems = [wrong for one in subject.manifest.artifacts if (wrong := subject.manifest.check_digest(one))]
    body = joined([table(_COLUMNS, rows), *(paragraph(problem) for problem in problems)])
    return Section(body, {command("verify", subject.folder, "--golden"): "checks digests and outputs"})


def _row(artifact: Artifact, largest: int) -> Sequence[object]:
    ends = f"{artifact.inputs[0].dtype} → {artifact.outputs[0].dtype}"
    bar = _bar(artifact.path, artifact.size_bytes, largest)
    return code(artifact.path), bar, f"{artifact.size_bytes:,}", artifact.format, artifact.quantization, ends


def _bar(name: str, size_bytes: int, largest: int) -> Markup:
    said = units.size(size_bytes)
    length = (WIDTH - 70) * size_bytes / largest
    return svg.picture(
        WIDTH,
        HEIGHT,
        svg.bar(0, 3, length, HEIGHT - 6, "area0"),
        svg.text(length + 6, HEIGHT - 4, said),
        says=f"{name}: {said}",
        look="strip",
    )
