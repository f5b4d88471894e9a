"""The head of a model card, as Hugging Face's own parser reads it."""

from dataclasses import replace

import pytest

from tests.conftest import verification
from toolkit import manifest
from toolkit.convention import Convention, Layout
from toolkit.entries import EvaluationSet
from toolkit.overlap import Overlap
from toolkit.parity import card

EVIL = "evil: [\"'\n---\n# \x1b\u202e"


@pytest.fixture
def read(tmp_path):
    """Return what the parser makes of the card of a manifest."""
    cards = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed").ModelCard

    def parse(found):
        text = card.render(found)
        parsed = cards(text)
        assert parsed.text.strip() == card.body(found).strip()
        return parsed.data

    return parse


def test_the_parser_reads_metrics_licence_and_data(shipped, read):
    found = manifest.read(shipped)
    data = read(found)
    assert (data.license, data.pipeline_tag, data.datasets) == ("unknown", "image-classification", ["ylecun/mnist"])
    assert (data.metrics, data.model_name, data.tags[:2]) == (["accuracy"], "mlp", ["onnx", "tflite"])
    results = {result.metric_name: result for result in data.eval_results}
    assert len(results) == 6
    for artifact in found.artifacts:
        one = results[f"accuracy of {artifact.path}"]
        assert one.metric_value == artifact.verified.accuracy
        assert (one.task_type, one.dataset_type, one.dataset_name) == ("image-classification", "ylecun/mnist", "mnist")
        assert (one.metric_type, one.dataset_split) == ("accuracy", "test")


def test_no_text_of_a_manifest_is_a_picture_or_a_cell_of_its_own(shipped):
    found, evil = manifest.read(shipped), "a|b ![c](d)"
    first = replace(found.artifacts[0], verified=replace(verification("pass", 0.5), dataset=EvaluationSet(evil, ())))
    recipe, data = replace(found.recipe, model=evil), replace(found.data, name=evil)
    text = card.body(replace(found, model=evil, recipe=recipe, data=data, artifacts=(first,)))
    assert text.count(r"a\|b !\[c\](d)") == 5  # the title has two
    assert evil not in text


def test_no_text_of_a_manifest_becomes_a_field(shipped, read):
    found = manifest.read(shipped)
    first = replace(found.artifacts[0], verified=replace(verification("pass", 0.5), dataset=EvaluationSet(EVIL, ())))
    data = read(replace(found, model=EVIL, artifacts=(first,), data=replace(found.data, name=EVIL)))
    assert data.model_name == "evil: [\"'\\x0a---\\x0a# \\x1b\\u202e"
    assert data.datasets is None
    assert [result.dataset_name for result in data.eval_results] == [data.model_name]
    assert not hasattr(data, "evil")


def test_the_card_has_no_accuracy_on_images_that_were_learned_from_or_without_a_test_set(shipped, read):
    found = manifest.read(shipped)
    leaky = EvaluationSet("tiny", (Overlap("test", "training", 7, 90, (1, 2)),))
    changed = (
        replace(found.artifacts[0], verified=replace(verification("pass", 0.98), dataset=leaky)),
        replace(found.artifacts[1], verified=verification("fail")),
        replace(found.artifacts[2], verified=None),
    )
    data = read(replace(found, artifacts=changed))
    assert data.eval_results is None
    assert data.metrics is None


def test_what_is_no_image_is_called_what_it_is(shipped, read):
    found = manifest.read(shipped)
    spec = replace(found.artifacts[0].inputs[0], shape=(None, 13))
    values = replace(found, convention=Convention(layout=Layout.VALUES))
    table = replace(values, artifacts=(replace(found.artifacts[0], inputs=(spec,)),))
    assert read(table).pipeline_tag == "tabular-classification"
    odd = replace(values, artifacts=(replace(found.artifacts[0], inputs=(replace(spec, shape=(None, 13, 3)),)),))
    data = read(odd)
    assert (data.pipeline_tag, data.eval_results[0].task_type) == (None, "other")
