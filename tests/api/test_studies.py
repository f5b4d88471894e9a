"""Studies from Python."""

import pytest

from tests.data.pets import mixed
from tests.study.test_study import Here
from toolkit import api, extras
from toolkit.errors import RunError, UsageError
from toolkit.study import study
from toolkit.study.executors.processes import Processes


def test_a_study_says_what_is_wrong(here):
    with pytest.raises(UsageError, match="unknown model 'vgg'"):
        api.study(model="vgg")
    with pytest.raises(UsageError, match="is no name; allowed: one without a slash"):
        api.study(name="../x")
    with pytest.raises(UsageError, match="--jobs is for this machine, --ray for a cluster"):
        api.study(jobs=2, ray="auto")
    with pytest.raises(RunError, match=r"no study is there, it has no study\.json"):
        api.report_study()
    assert list(here.iterdir()) == []


@pytest.mark.slow
def test_a_study_has_photos_in_the_size_that_a_model_of_ones_own_takes(here, monkeypatch):
    keras = extras.load("keras")
    layers = [keras.Input((5, 7, 3)), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    keras.Sequential(layers).save("own.keras")
    monkeypatch.setattr(study, "conduct", lambda begun, *others, **options: begun)
    begun = api.study(data=mixed(here / "pets"), model=["mlp", "own.keras"], activation="relu", epochs=1)
    assert begun.data["reading"] == {"image_size": [5, 7], "resize": "fit", "model_shape": [5, 7, 3]}


@pytest.mark.slow
def test_a_study_is_trained_gone_on_with_and_reported(here, tiny, tiny_npz, monkeypatch):
    """In this process, as tests/study/test_command.py does in those of a study."""
    monkeypatch.setattr(Processes, "__call__", lambda self, due, work: Here(tiny)(due, work))
    axes = {"optimizer": "sgd", "activation": "relu", "learning_rate": 0.1, "epochs": 1}
    steps = []
    first = api.study(data=tiny_npz, model="mlp", loss="mse", on_step=steps.append, **axes)
    assert [(one.state, len(one.progress.history)) for one in first.outcomes] == [("finished", 1)]
    assert [(step.done, step.total) for step in steps] == [(0, 1), (0, 1), (0, 1), (1, 1), (1, 1)]
    both = api.study(data=tiny_npz, model=["mlp"], loss=["mse", "binary_crossentropy"], **axes)
    assert both.outcomes[0] == first.outcomes[0]
    assert both.summary == "2 of 2 runs finished"
    report = api.report_study(output="report")
    assert {finding.verdict for finding in report.findings} == {"undecided"}
    assert [str(path) for path in report.weights] == ["report/mlp.keras"]
