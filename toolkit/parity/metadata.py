"""What Hugging Face reads of a model card: YAML at its head, made from the manifest alone.

The fields: https://github.com/huggingface/hub-docs/blob/main/modelcard.md. Values are written as JSON has them, which
is YAML too, so that no text of a manifest can become a field.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from toolkit.convention import Layout
from toolkit.manifest import Artifact, Manifest
from toolkit.text import printable

FENCE = "---"
# What a data set of this project is called there.
_DATASETS = {"mnist": "ylecun/mnist", "sample": "ylecun/mnist", "fashion-mnist": "zalando-datasets/fashion_mnist"}
_IMAGES, _TABLE, _OTHER = "image-classification", "tabular-classification", "other"
# Whoever publishes the weights decides: nobody has said it yet.
_LICENCE = "unknown"


def header(manifest: Manifest) -> str:
    """Return the head of a card: licence, tags, data, and the measured accuracy of each artifact."""
    task = _task(manifest)
    formats = sorted({artifact.format for artifact in manifest.artifacts})
    known = _DATASETS.get(manifest.data.name)
    fields: dict[str, Any] = {"license": _LICENCE, "library_name": "keras"}
    if task != _OTHER:
        fields["pipeline_tag"] = task
    fields["tags"] = [*formats, *sorted({artifact.quantization for artifact in manifest.artifacts})]
    if known:
        fields["datasets"] = [known]
    if results := _results(manifest, task):
        fields |= {"metrics": ["accuracy"], "model-index": [{"name": manifest.model, "results": results}]}
    return "\n".join((FENCE, *_lines(fields, ""), FENCE)) + "\n\n"


def _task(manifest: Manifest) -> str:
    if manifest.convention.layout != Layout.VALUES:
        return _IMAGES
    return _TABLE if len(manifest.artifacts[0].inputs[0].shape) == 2 else _OTHER


def _results(manifest: Manifest, task: str) -> list[dict[str, Any]]:
    """Return the accuracies, by the data that they were measured on; none on images that the model has learned from."""
    measured: dict[str, list[Artifact]] = {}
    for artifact in manifest.artifacts:
        verified = artifact.verified
        if verified is not None and verified.accuracy is not None and not verified.dataset.overlap:
            measured.setdefault(verified.dataset.name, []).append(artifact)
    return [
        {
            "task": {"type": task},
            "dataset": {"name": name, "type": _DATASETS.get(name, name), "split": "test"},
            "metrics": [
                {"type": "accuracy", "value": one.accuracy, "name": f"accuracy of {one.path}"} for one in artifacts
            ],
        }
        for name, artifacts in measured.items()
    ]


def _lines(value: Mapping[str, Any] | Sequence[Any], indent: str) -> Iterator[str]:
    """Yield a mapping or a list as lines of YAML."""
    pairs = value.items() if isinstance(value, Mapping) else ((None, item) for item in value)
    for name, part in pairs:
        start = f"{indent}- " if name is None else f"{indent}{name}:"
        if not isinstance(part, dict | list):
            yield f"{start}{'' if name is None else ' '}{json.dumps(printable(part), ensure_ascii=False)}"
        elif name is None:
            first, *others = _lines(part, f"{indent}  ")
            yield start + first.removeprefix(f"{indent}  ")
            yield from others
        else:
            yield start
            yield from _lines(part, f"{indent}  ")
