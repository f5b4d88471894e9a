"""A study on a real Ray cluster of several nodes on this machine, one of which is killed in the middle."""

import json
import os
import signal
from dataclasses import replace

import numpy as np
import pytest

from tests.study.test_study import Here
from toolkit.cli import call
from toolkit.errors import UsageError
from toolkit.study import study
from toolkit.study.executors import ray as module
from toolkit.study.executors.base import ENDED, EPOCH, STARTED
from toolkit.study.grid import Grid
from toolkit.study.trials import TrialState

# Ray alone takes seconds to import.
pytestmark = pytest.mark.slow
GRID = Grid(
    model=("mlp",),
    optimizer=("adam",),
    activation=("relu", "sigmoid"),
    learning_rate=(0.01,),
    loss=("mse",),
    epochs=(20,),
)


@pytest.fixture(scope="module")
def cluster():
    """A head without room for runs; nodes are added by the tests."""
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # A lost node is noticed after 2 seconds instead of 30.
    soon = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 4}
    head = {"num_cpus": 0, "include_dashboard": False, "include_log_monitor": False, "no_monitor": True}
    cluster = Cluster(initialize_head=True, head_node_args={**head, "_system_config": soon})
    yield cluster
    cluster.shutdown()


@pytest.fixture(autouse=True)
def _disconnected():
    """A process is connected to one cluster at a time."""
    import ray

    yield
    ray.shutdown()


def histories(of):
    """Return (runs, epochs, 4): losses and accuracies."""
    return [
        [(epoch.loss, epoch.accuracy, epoch.val_loss, epoch.val_accuracy) for epoch in one.progress.history]
        for one in of.outcomes
    ]


def test_a_node_is_killed_and_the_figures_are_those_without_a_cluster(xla, cluster, tmp_path, tiny, tiny_npz):
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    executor = module.connect(cluster.address, cpus=1, gpus=0)
    assert executor.jobs == 2
    events = []

    def on_event(event):
        events.append(event)
        if len(nodes) == 2 and event.kind == EPOCH and event.epoch.epoch == 2:
            cluster.remove_node(nodes.pop(), allow_graceful=False)

    dataset = replace(tiny, origin=str(tiny_npz))
    of = study.conduct(study.begin(GRID, dataset, tmp_path / "ray", jobs=2), executor, on_event=on_event)
    assert of.count(TrialState.FINISHED) == 2, [one.message for one in of.outcomes]
    for kind in (STARTED, ENDED):
        assert len([event for event in events if event.kind == kind]) == 2
    assert len(nodes) == 1
    for trial in {event.trial.folder: event.trial for event in events}.values():  # from its checkpoint, not anew
        epochs = [event.epoch.epoch for event in events if event.kind == EPOCH and event.trial == trial]
        assert epochs == list(range(1, 21))
    alone = study.conduct(study.begin(GRID, dataset, tmp_path / "alone", jobs=1), Here(tiny))
    np.testing.assert_allclose(histories(of), histories(alone), rtol=1e-4)
    assert [one.test_accuracy for one in of.outcomes] == [one.test_accuracy for one in alone.outcomes]


def test_the_command_sends_its_runs_to_the_cluster(cluster, tiny_npz, here, capfd):
    node = cluster.add_node(num_cpus=2)
    few = ("--model", "mlp", "--optimizer", "adam", "--activation", "relu", "--loss", "mse", "--epochs", "2")
    asked = ("--learning-rate", "0.1", "--ray", cluster.address, "--run-cpus", "1", "--data", str(tiny_npz), "--json")
    assert call(["study", *few, *asked]) == 0
    cluster.remove_node(node)
    out, _ = capfd.readouterr()
    document = json.loads(out)
    assert [run["state"] for run in document["runs"]] == ["finished"]
    assert document["jobs"][0] >= 2  # and what nodes of other tests have
    assert (here / document["report"]["html"]).is_file()


def test_what_two_nodes_have_together_is_no_room_for_a_run(monkeypatch):
    node = {"Alive": True, "Resources": {"CPU": 3.0}}
    monkeypatch.setattr("ray.nodes", lambda: [node, node, {**node, "Alive": False}])
    assert [module.Ray(cpus, 0.0).jobs for cpus in (1, 2, 3, 4)] == [6, 2, 2, 0]
    assert module.Ray(1, 0.5).jobs == 0


def test_what_a_cluster_cannot_be_asked_for_is_refused(cluster):
    with pytest.raises(
        UsageError, match=r"the Ray cluster has .* CPUs and 0 GPUs; a run asks one of its nodes for 1 and 2"
    ):
        module.connect(cluster.address, cpus=1, gpus=2)
    with pytest.raises(UsageError, match="a run cannot ask for 0 CPUs"):
        module.connect(cluster.address, cpus=0, gpus=0)


def test_a_cluster_that_is_not_there_is_one_clear_line(monkeypatch):
    before = signal.getsignal(signal.SIGTERM)

    def refuse(**_):
        signal.signal(signal.SIGTERM, lambda *_: None)  # as Ray does first of all
        raise ConnectionError("nobody answers")

    monkeypatch.setattr("ray.init", refuse)
    with pytest.raises(UsageError, match="no Ray cluster answers at 'auto'; start one with: ray start --head"):
        module.connect("auto", cpus=1, gpus=0)
    assert signal.getsignal(signal.SIGTERM) == before
