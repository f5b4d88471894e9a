"""What was exported: the files, their sizes, what goes in and what comes out."""

from toolkit import units
from toolkit.console import Column, text_columns
from toolkit.errors import ArtifactError
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
    artifacts, original = subject.manifest.artifacts, subject.manifest.reference_path
    if not artifacts:
        raise ArtifactError(f"{subject.folder}: its manifest lists no artifact")
    files = [(original.name, original.stat().st_size, "keras", "float32", "")] if original.is_file() else []
    for one in artifacts:
        types = f"{one.inputs[0].dtype} → {one.outputs[0].dtype}"
        files.append((one.path, one.size_bytes, one.format, one.quantization, types))
    largest = max(1, *(size_bytes for _, size_bytes, *_ in files))
    rows = [(code(name), _bar(name, size, largest), f"{size:,}", *arithmetic) for name, size, *arithmetic in files]
    problems = [wrong for one in artifacts if (wrong := subject.manifest.check_digest(one))]
    body = joined([table(_COLUMNS, rows), *(paragraph(problem) for problem in problems)])
    return Section(body, {command("verify", subject.folder, "--golden"): "checks digests and outputs"})


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
