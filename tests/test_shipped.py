"""The models that the project ships."""

import re
from pathlib import Path

import numpy as np
import pytest

from toolkit import data, extras, golden, manifest, runtimes, units
from toolkit.errors import DataError
from toolkit.novelty import Judge
from toolkit.parity import card
from toolkit.parity.record import RECORD, recompute
from toolkit.parity.verify import VerifyOptions, select, verify

EXPORTED = Path(__file__).parents[1] / "exported"
STUDY, SEARCH, FASHION = (EXPORTED / name for name in ("study", "search-mnist", "search-fashion"))
LEAST_ACCURACY = {"cnn": 0.990, "mlp": 0.977, "tiny": 0.993}
# The one that a search has found, for microcontrollers: it learned with rounding.
TINY = "tiny"
# The shipped models are held to a fifth of the default margin.
MARGIN_PP = 0.1
MODELS = sorted(LEAST_ACCURACY)


@pytest.fixture(params=MODELS)
def shipped(request):
    return manifest.read(EXPORTED / request.param)


def test_every_shipped_file_is_the_one_that_was_exported(shipped):
    shipped.require(*shipped.artifacts, shipped.reference, shipped.golden, shipped.novelty)
    assert len(shipped.artifacts) == 6
    sources = ["tiny-int8.c", "tiny-int8.h"] if shipped.model == TINY else []
    assert {path.name for path in shipped.folder.iterdir() if path.suffix != ".log"} == {
        *(artifact.path for artifact in shipped.artifacts),
        *sources,
        f"{shipped.model}.keras",
        "golden.npz",
        "novelty.npz",
        "manifest.json",
        "parity.json",
        "parity.npz",
        "README.md",
        "loss.png",
        "accuracy.png",
    }


def test_a_shipped_model_is_trained_on_mnist_by_the_full_recipe(shipped):
    assert shipped.data.digests == data.sources()["mnist"].DIGESTS
    assert shipped.recipe.epochs == shipped.source.metrics.epochs_run == (120 if shipped.model == TINY else 100)
    assert (shipped.recipe.optimizer, shipped.recipe.batch_size, shipped.recipe.validation_split) == (
        "adam",
        64,
        0.2,
    )


def test_every_shipped_artifact_was_verified_on_the_test_set(shipped):
    for artifact in shipped.artifacts:
        assert artifact.verified.verdict == "pass", artifact.path
        assert artifact.verified.n == 10_000
        assert artifact.verified.margin_pp == MARGIN_PP
        assert artifact.verified.reference_accuracy >= LEAST_ACCURACY[shipped.model]
        # A search leaves the test set closed while it trains.
        if shipped.model != TINY:
            assert artifact.verified.reference_accuracy == shipped.source.metrics.test_accuracy


def test_the_card_of_a_shipped_model_says_what_its_manifest_says(shipped):
    assert (shipped.folder / card.CARD).read_text() == card.render(shipped)


def test_every_published_figure_is_what_the_images_of_its_record_say(shipped):
    rebuilt = recompute(shipped.folder / RECORD)
    assert rebuilt.differences == ()
    assert (rebuilt.samples, rebuilt.artifacts) == (10_000, 6)


def test_a_shipped_model_passes_by_golden_on_this_machine(shipped):
    result = verify(shipped, shipped.artifacts, VerifyOptions(by_golden=True), warn=pytest.fail)
    assert [(c.artifact, c.problem) for c in result.comparisons if c.verdict != "pass"] == []


def test_the_sample_is_no_test_set_of_a_shipped_model(shipped):
    """All of its digits are MNIST training images; without MNIST its calibration digests tell."""
    with pytest.raises(DataError, match=r"of the 1,000 test images are (training|calibration) images too"):
        verify(shipped, shipped.artifacts[:1], VerifyOptions("sample"), warn=lambda text: None)


def test_the_golden_of_a_shipped_model_holds_images_of_the_sample_only(shipped):
    record = golden.read(shipped.golden_path)
    sample = data.load("sample", warn=pytest.fail)
    np.testing.assert_array_equal(record.images, sample.test.images[: len(record.images)])
    assert len(record.images) == 500


def test_every_shipped_artifact_tells_noise_from_digits(shipped):
    record = golden.read(shipped.golden_path)
    judge = Judge(shipped)
    assert (shipped.novelty.part, shipped.novelty.n, shipped.novelty.false_alarms) == ("validation", 5000, 0.01)
    noise = np.random.default_rng(0).integers(0, 256, (100, 28, 28, 1)).astype(np.uint8)
    for artifact in shipped.artifacts:
        session = runtimes.open_session(shipped.folder / artifact.path)
        session.convention = shipped.convention
        for images, least, most in ((record.images, 0, 5), (noise, 100, 100)):
            answers = shipped.convention.probabilities(shipped.convention.answers(session.predict(images)))
            assert least <= sum(one.none_of_these for one in judge.judge(images, answers)) <= most


def test_no_path_of_a_machine_is_in_the_manifest(shipped):
    text = (shipped.folder / manifest.MANIFEST).read_text() + (shipped.folder / RECORD).read_text()
    assert "/home" not in text
    assert "/root" not in text
    assert "/tmp" not in text


def test_the_study_is_whole_and_its_page_says_what_it_says():
    text = (STUDY / "study.md").read_text()
    assert text.startswith("# The study\n\n48 of 48 runs finished: {CNN, MLP} × {Adam, SGD} × {ReLU, sigmoid} × ")
    shown = re.findall(r"!\[.*\]\((charts/.*)\)", text)
    assert sorted(shown) == sorted(f"charts/{path.name}" for path in (STUDY / "charts").glob("*.png"))
    assert (STUDY / "study.html").read_text().count('src="data:image/svg+xml;base64,') == len(shown) == 10
    page = (EXPORTED.parent / "docs" / "study.md").read_text()
    for letter in "abcde":
        (said,) = (line for line in page.splitlines() if line.startswith(f"| {letter} |"))
        assert f"\n{said} " in text
    assert "/root" not in text
    assert "/tmp" not in text


def test_the_front_of_fashion_mnist_is_what_its_page_says():
    text = (FASHION / "search.md").read_text()
    assert data.sources()["fashion-mnist"].DIGESTS["test_images"] in text
    shown = re.findall(r"!\[.*\]\((charts/.*)\)", text)
    assert sorted(shown) == sorted(f"charts/{path.name}" for path in (FASHION / "charts").glob("*.png"))
    front = text.partition("## The front")[2].partition("Looks at the test set: 1.")[0]
    rows = [[cell.strip() for cell in line.split("|")[2:6]] for line in front.splitlines() if line.endswith(" pass |")]
    page = " ".join((EXPORTED.parent / "docs" / "search.md").read_text().split())
    for size, *_, accuracy in [next(row for row in rows if row[0] == "15.4 kB"), rows[-1]]:
        assert f"of {size}" in page
        assert accuracy in page
    assert float(rows[-1][-1].split(" %")[0]) > 91
    assert "/root" not in text
    assert "/tmp" not in text


def test_the_tiny_network_is_the_one_of_its_search_whose_page_says_what_it_says():
    text = (SEARCH / "search.md").read_text()
    assert "Looks at the test set: 1." in text
    shown = re.findall(r"!\[.*\]\((charts/.*)\)", text)
    assert sorted(shown) == sorted(f"charts/{path.name}" for path in (SEARCH / "charts").glob("*.png"))
    found = manifest.read(EXPORTED / TINY)
    (line,) = re.findall(rf"^\| {found.source.run} \| .* \| pass \| .*$", text, re.MULTILINE)
    size, _, instructions, _, accuracy, *_, loss, is_as_good = (cell.strip() for cell in line.split("|")[2:-1])
    (int8,) = (artifact for artifact in found.artifacts if artifact.path == "tiny-int8.tflite")
    assert (size, accuracy.split(" %")[0]) == (units.size(int8.size_bytes), f"{100 * int8.accuracy:.2f}")
    assert is_as_good == "yes"
    page = (EXPORTED.parent / "docs" / "search.md").read_text()
    for figure in (size, instructions, accuracy, loss):
        assert figure in page
    assert "/root" not in text
    assert "/tmp" not in text


@pytest.mark.slow
@pytest.mark.mnist
def test_the_weights_of_the_study_have_the_accuracy_that_its_report_says(real_mnist):
    keras = extras.load("keras")
    text = (STUDY / "study.md").read_text().partition("## Best of each model")[2].partition("## All runs")[0]
    said = re.findall(r"\| ([0-9.]+) % \([^|]*\) \| (\w+\.keras) \|", text)
    assert [name for _, name in said] == ["cnn.keras", "mlp.keras"]
    for percent, name in said:
        model = keras.models.load_model(STUDY / name)
        outputs = model.predict(real_mnist.test.images / np.float32(255), batch_size=1000, verbose=0)
        assert f"{100 * (outputs.argmax(axis=1) == real_mnist.test.labels).mean():.2f}" == percent


@pytest.mark.slow
@pytest.mark.mnist
def test_all_artifacts_match_keras_on_the_full_test_set(real_mnist):
    """And float32 artifacts, unless their original rounds, to more: no image lost or gained, outputs equal to 1e-4."""
    for found, artifacts in select([EXPORTED]):
        result = verify(found, artifacts, VerifyOptions("mnist", margin_pp=MARGIN_PP), warn=pytest.fail)
        assert {c.verdict for c in result.comparisons} == {"pass"}
        for comparison in result.comparisons:
            if comparison.quantization == "float32" and found.model != TINY:
                assert comparison.figures.changed == 0
                assert comparison.figures.max_abs_error <= 1e-4
