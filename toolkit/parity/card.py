"""The model card of a folder of artifacts: a README.md made from the manifest alone, so that no figure is typed in."""

from pathlib import Path

from toolkit import data, units
from toolkit.entries import Metrics, Verification
from toolkit.files import documents, write_text
from toolkit.manifest import Artifact, Manifest
from toolkit.parity.metadata import header
from toolkit.text import in_markdown

CARD = "README.md"
_GENERAL_LIMITS = (
    "It answers with one of its classes whatever it is shown: a picture of something else gets a class as well, and "
    "the probability is no measure of whether the picture belongs to any of them."
)


def write(manifest: Manifest) -> Path:
    """Write the card beside the manifest."""
    path = manifest.folder / CARD
    write_text(path, render(manifest))
    return path


def render(manifest: Manifest) -> str:
    """Return the card as Markdown, with a head for Hugging Face."""
    return header(manifest) + body(manifest)


def body(manifest: Manifest) -> str:
    """Return what people read of the card."""
    source = data.sources().get(manifest.data.name)
    about = source.SUMMARY if source else in_markdown(manifest.data.name)
    spec = manifest.artifacts[0].inputs[0]
    shape = "×".join(str(size) for size in spec.shape[1:])
    what = f"{manifest.noun}s"
    classes = ", ".join(map(in_markdown, manifest.data.classes))
    parts = [
        f"# {in_markdown(manifest.title)}",
        f"A classifier of {shape} {what} into {len(manifest.data.classes)} classes ({classes}), exported by "
        "[toolkit](../../README.md). This page is made from `manifest.json` by `toolkit verify --save`.",
        "## Artifacts",
        _artifacts(manifest),
        "## Data",
        f"{about}. SHA-256 of the arrays (uncompressed IDX bytes):\n\n"
        + "\n".join(
            f"- {part.replace('_', ' ').replace('images', what)}: `{digest}`"  # of rows, a manifest says images too
            for part, digest in manifest.data.digests.items()
        ),
        f"int8 artifacts {_ranges(manifest)}. `{manifest.golden.path}` holds {manifest.golden.n} {what} with the "
        "outputs of the Keras model and of every artifact, for comparing on a device.",
        *_recipe(manifest),
        "## Intended use and limits",
        getattr(source, "LIMITS", f"{what.capitalize()} like those of the data above.") + " " + _GENERAL_LIMITS,
        *_none_of_these(manifest),
    ]
    return "\n\n".join(parts) + "\n"


def _none_of_these(manifest: Manifest) -> list[str]:
    known = manifest.novelty
    if known is None:
        return []
    return [
        f"`{known.path}` beside the manifest tells many of such pictures: `toolkit predict` and `toolkit serve` call "
        f'an image "none of these" if its score is above {known.threshold:.4g}, as is that of '
        f"{units.percent(known.false_alarms)} of {known.n:,} {known.part} images."
    ]


def _artifacts(manifest: Manifest) -> str:
    what = f"{manifest.noun}s"
    rows = [
        f"| artifact | size | input → output | test {what} | accuracy | Keras | lost / gained | verdict |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(_row(artifact) for artifact in manifest.artifacts),
        "",
        f"lost: {what} that only the Keras original gets right; gained: that only the artifact does. pass: with 95 % "
        "confidence no more accuracy is lost than the margin, in percentage points (pp).",
        *(f"\n{text}." for text in _measured_on(manifest)),
        *(f"\n{units.MARK} not an accuracy: {text}." for text in _overlaps(manifest)),
    ]
    return "\n".join(rows)


def _ranges(manifest: Manifest) -> str:
    rows = manifest.calibration
    if rows.is_trained:
        return "have the ranges and rounded weights that the model was trained with (quantization-aware training)"
    return f"took their ranges from {rows.n} training {manifest.noun}s (seed {rows.seed})"


def _overlaps(manifest: Manifest) -> list[str]:
    """Return which test images the model has learned from, each said once."""
    measured: list[Metrics | Verification | None] = [manifest.source.metrics, *(a.verified for a in manifest.artifacts)]
    overlaps = [manifest.data.overlap, *(one.dataset.overlap for one in measured if one and one.dataset)]
    what = f"{manifest.noun}s"
    shared = (one for several in overlaps for one in several)
    texts = (f"{one.count:,} {one.part} {what} are {one.other} {what} too" for one in shared)
    return list(dict.fromkeys(map(in_markdown, texts)))


def _measured_on(manifest: Manifest) -> list[str]:
    """Return on which kernels the figures were measured, in one sentence for each kind of machine that is recorded."""
    runtimes: dict[str, list[str]] = {}
    for artifact in manifest.artifacts:
        if on := artifact.measured_on:
            runtimes.setdefault(f"{on.kernels or 'unknown instruction sets'} ({on.cpu})", []).append(on.runtime)
    texts = (f"Measured on {machine}, by {' and '.join(dict.fromkeys(by))}" for machine, by in runtimes.items())
    return list(map(in_markdown, texts))


def _row(artifact: Artifact) -> str:
    types = f"{artifact.inputs[0].dtype} → {artifact.outputs[0].dtype}"
    described = f"| `{artifact.path}` | {units.size(artifact.size_bytes)} | {types} |"
    verified = artifact.verified
    if verified is None or verified.accuracy is None or verified.reference_accuracy is None:
        return f"{described} – | – | – | – | {verified.verdict if verified else 'not verified'} |"
    images = f"{verified.n:,} ({in_markdown(verified.dataset.name)})"
    verdict = f"{verified.verdict} (margin {verified.margin_pp:g} pp)"
    shares = [units.percent(share) for share in (verified.accuracy, verified.reference_accuracy)]
    figures = (*shares, f"{verified.lost} / {verified.gained}", verdict)
    marked = (units.marked(figure, overlap=verified.dataset.overlap) for figure in figures)
    return f"{described} {images} | {' | '.join(marked)} |"


def _recipe(manifest: Manifest) -> list[str]:
    """Return what is known of the training; a model that this toolkit did not train has no recipe."""
    metrics = manifest.source.metrics
    if manifest.recipe is None:
        return []
    recipe = documents.to_tree(manifest.recipe).items()
    said = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in recipe)
    parts = ["## Training", *(f"{in_markdown(str(one))}." for one in (said, metrics) if one)]
    if (manifest.folder / "loss.png").is_file():
        parts.append("![loss against epochs](loss.png)\n![accuracy against epochs](accuracy.png)")
    return parts
