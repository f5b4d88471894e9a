"""What ``config.json`` holds of a run: what its weights depend on, and what it was computed with."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from toolkit import models
from toolkit.convention import Convention
from toolkit.files import documents, sha256
from toolkit.training import distillation, folders
from toolkit.training.arithmetic import UNTRIED
from toolkit.training.epochs import class_weights
from toolkit.training.recipe import Recipe
from toolkit.training.setup import Setup


def config_entry(setup: Setup, convention: Convention) -> dict[str, Any]:
    """Return the document of a run that starts now. convention: what its model takes."""
    recipe, parts, dataset, arithmetic = setup.recipe, setup.parts, setup.parts.dataset, setup.arithmetic
    return {
        "schema": 1,
        "recipe": recipe.to_json(),
        folders.MODEL_SHA256: next((sha256(file) for file in models.own_files(recipe.model)), None),
        **teacher_entry(recipe),
        **({folders.IMPORTS: files} if (files := folders.imported()) else {}),
        "data": {
            "name": dataset.name,
            "origin": dataset.origin,
            "digests": dataset.digests,
            "reading": dataset.reading.to_json(),
        },
        "convention": documents.to_tree(convention),
        "validation": {"rows": len(parts.validation_rows), "how": parts.how},
        **({"class_weights": class_weights(parts).tolist()} if recipe.balance else {}),
        **({} if arithmetic == UNTRIED else {"arithmetic": documents.to_tree(arithmetic)}),
        "device": setup.device,
        "versions": {
            "tensorflow": setup.tf.__version__,
            "keras": setup.keras.__version__,
            "numpy": np.__version__,
        },
        "started": datetime.now(UTC).isoformat(timespec="microseconds"),
    }


def teacher_entry(recipe: Recipe) -> dict[str, Any]:
    """Return where the teacher is, which a run that goes on finds again, and its digest."""
    if recipe.teacher is None:
        return {}
    file = distillation.find(recipe.teacher)
    place = file if models.weights_files(recipe.teacher) else file.parent
    return {folders.TEACHER: str(place.absolute()), folders.TEACHER_SHA256: sha256(file)}
