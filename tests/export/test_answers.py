"""What a model's output means is judged, kept and used: probabilities are shown, whatever it answers with."""

import numpy as np
import pytest

from tests.export.made_up import bundled, dataset_of, exported, judged, network, photos
from toolkit.convention import Output
from toolkit.prediction import predict
from toolkit.runtimes import open_session

pytestmark = pytest.mark.training


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "classes", "kind"),
    [
        ("linear", 3, Output.LOGITS),
        ("sigmoid", 3, Output.SIGMOIDS),
        ("sigmoid", 2, Output.SIGMOID),
        ("one logit", 2, Output.LOGITS),
    ],
)
def test_answers_of_every_kind_are_probabilities_where_they_are_shown(tmp_path, activation, classes, kind):
    dataset = dataset_of(classes)
    path = network(tmp_path / "kind.keras", classes=classes, activation=activation)
    found = exported(path, dataset, pairs=[("tflite", "float32"), ("onnx", "float32")])
    assert found.convention.output == kind
    assert judged(found, dataset) == [("pass", 1.0, 1.0)] * 2
    images = photos(dataset, tmp_path)
    reference = open_session(found.reference_path, threads=0)
    reference.convention = found.convention
    expected = found.convention.probabilities(reference.predict(dataset.test.images[:6]))
    labels = [str(label) for label in dataset.test.labels[:6]]
    for artifact in found.artifacts:
        shown = predict(images, found.folder / artifact.path, warn=pytest.fail)
        assert [one.classes[0] for one in shown] == labels
        np.testing.assert_allclose([one.probabilities[0] for one in shown], expected.max(axis=1), atol=1e-5)
        lines = bundled(found, artifact, dataset.test.images[:6], tmp_path)
        assert lines == [f"{label} {row.max():.4f}" for label, row in zip(labels, expected, strict=True)]
