"""What the model is, and what it has learned from."""

from toolkit import data
from toolkit.convention import Layout
from toolkit.files import documents
from toolkit.manifest import Manifest
from toolkit.report.markup import code, facts, joined, paragraph
from toolkit.report.sections.base import Section, command, data_words
from toolkit.report.subject import Subject

ORDER, TITLE = 20, "The model"
# Classes that are named; of more the number is said as well.
MOST_NAMED = 20


def show(subject: Subject) -> Section:
    """Return where the model comes from, what it takes and answers, and the digests of its data."""
    manifest = subject.manifest
    source, rows = data.sources().get(manifest.data.name), manifest.calibration
    versions = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    about: dict[str, object] = {
        "data": f"{source.SUMMARY} ({manifest.data.name})" if source else manifest.data.name,
        "classes": _classes(manifest.data.classes),
        "input": _input(manifest),
        "Keras original": joined([code(manifest.reference.path), " ", code(f"SHA-256 {manifest.reference.sha256}")]),
        "exported": f"{manifest.created}, with {versions}",
        "calibration": "none: the model was trained with its ranges (quantization-aware training)"
        if rows.is_trained
        else f"{rows.n} training {subject.rows_are} of {rows.data}, seed {rows.seed}",
    }
    if manifest.source.run:
        about["training run"] = manifest.source.run
    if manifest.recipe:
        recipe = documents.to_tree(manifest.recipe)
        about["recipe"] = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in recipe.items())
    parts = {part.replace("_", " "): digest for part, digest in manifest.data.digests.items()}
    about |= {f"SHA-256 of {part.replace('images', subject.rows_are)}": code(parts[part]) for part in parts}
    limits = getattr(source, "LIMITS", "").split("`")  # every second part is a command
    said = paragraph(*(code(part) if number % 2 else part for number, part in enumerate(limits)))
    again = {command("data", *data_words(manifest)): "says the digests of the data"}
    return Section(joined([facts(about), said]), again)


def _classes(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return f"{len(names):,}: {', '.join(names[:MOST_NAMED])}{more}"


def _input(manifest: Manifest) -> str:
    if not manifest.artifacts:
        return "not known"
    shape = "×".join("any" if size is None else str(size) for size in manifest.artifacts[0].inputs[0].shape[1:])
    means = "values as they are" if manifest.convention.layout == Layout.VALUES else f"pixels as {manifest.convention}"
    return f"{shape}, {means}"
