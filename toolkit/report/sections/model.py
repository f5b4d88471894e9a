"""What the model is, and what it has learned from."""

from toolkit import data
from toolkit.convention import Layout
from toolkit.files import documents
from toolkit.manifest import Manifest
from toolkit.report.markup import code, facts, joined, paragraph
from toolkit.report.sections.base import Section
from toolkit.report.subject import Subject

ORDER, TITLE = 20, "The model"
# Classes that are named; of more the number is said as well.
MOST_NAMED = 20


def show(subject: Subject) -> Section:
    """Return where the model comes from, what it takes and answers, and the digests of its data."""
    found = subject.manifest
    source, rows = data.sources().get(found.data.name), found.calibration
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    about: dict[str, object] = {
        "data": f"{source.SUMMARY} ({found.data.name})" if source else found.data.name,
        "classes": _classes(found.data.classes),
        "input": _input(found),
        "Keras original": joined([code(found.reference.path), " ", _short(found.reference.sha256)]),
        "exported": f"{found.created}, with {versions}",
        "calibration": "none: the model was trained with its ranges (quantization-aware training)"
        if rows.is_trained
        else f"{rows.n} training {subject.rows_are} of {rows.data}, seed {rows.seed}",
    }
    if found.source.run:
        about["training run"] = found.source.run
    if found.recipe:
        recipe = documents.to_tree(found.recipe)
        about["recipe"] = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in recipe.items())
    about |= {f"SHA-256 of {part.replace('_', ' ')}": code(digest) for part, digest in found.data.digests.items()}
    limits = getattr(source, "LIMITS", "").split("`")  # every second part is a command
    said = paragraph(*(code(part) if number % 2 else part for number, part in enumerate(limits)))
    return Section(joined([facts(about), said]), {})


def _classes(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return f"{len(names):,}: {', '.join(names[:MOST_NAMED])}{more}"


def _input(found: Manifest) -> str:
    if not found.artifacts:
        return "not known"
    shape = "×".join("any" if size is None else str(size) for size in found.artifacts[0].inputs[0].shape[1:])
    means = "values as they are" if found.convention.layout == Layout.VALUES else f"pixels as {found.convention}"
    return f"{shape}, {means}"


def _short(digest: str) -> object:
    return code(f"SHA-256 {digest}")
