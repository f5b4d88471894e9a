"""``make test-gpu``: its one line where there is no GPU, and its verdicts, by a command line that is made up."""

import json

import pytest

from tests import gpu
from toolkit import extras


@pytest.mark.slow
def test_without_a_gpu_the_gpu_check_says_so_in_a_line(capsys):
    if extras.load("tensorflow").config.list_physical_devices("GPU"):
        pytest.skip("there is a GPU")
    assert gpu.main() == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("there is no GPU to test: TensorFlow sees no GPU")


def made_up(folder, *, accuracy=0.9, device="GPU (NVIDIA one)", said="device: x, data on the device; run: y", code=0):
    def call(arguments):
        is_on_cpu = "cpu" in arguments
        if "--name" in arguments and "--resume" not in arguments:
            run = folder / "runs" / arguments[arguments.index("--name") + 1]
            run.mkdir(parents=True)
            (run / "config.json").write_text(json.dumps({"device": "CPU" if is_on_cpu else device}))
        answer = json.dumps({"test_accuracy": 0.9 if is_on_cpu else accuracy})
        return (0 if is_on_cpu else code), answer, said

    return call


def test_what_works_is_confirmed_with_both_accuracies(tmp_path):
    lines = dict(gpu.judge(made_up(tmp_path), tmp_path, gpus=1))
    assert lines["`--device gpu`, cnn"] == "confirmed: test accuracy 90.0%, on the CPU 90.0%"
    assert lines["`--resume` on a GPU"] == lines["a model of a GPU, exported"] == "confirmed"
    assert lines["`--strategy mirrored` on GPUs"] == "not tried: there is one GPU"


def test_several_gpus_are_tried_together(tmp_path):
    lines = dict(gpu.judge(made_up(tmp_path), tmp_path, gpus=2))
    assert lines["`--device gpu --strategy mirrored`, mlp"].startswith("confirmed")


def test_each_way_is_compared_with_the_cpu_training_in_the_same_way(tmp_path):
    """A training on changed images is behind one on images as they are, on any device."""

    def call(arguments):
        answer = made_up(tmp_path)(arguments)
        return (answer[0], json.dumps({"test_accuracy": 0.8 if "--augment" in arguments else 0.9}), answer[2])

    lines = dict(gpu.judge(call, tmp_path, gpus=1))
    assert lines["`--device gpu --augment shift,rotate,zoom,contrast`, mlp"] == (
        "confirmed: test accuracy 80.0%, on the CPU 80.0%"
    )


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"accuracy": 0.8}, "FAILED: test accuracy 80.0%, on the CPU 90.0%"),
        ({"device": "CPU"}, "FAILED: it was trained on CPU"),
        ({"said": "device: x, data streamed"}, "FAILED: the images did not lie on the GPU"),
        ({"code": 2, "said": "one\nerror: a | b"}, "FAILED: error: a / b"),
    ],
)
def test_the_gpu_check_says_what_does_not_work(tmp_path, fault, says):
    assert dict(gpu.judge(made_up(tmp_path, **fault), tmp_path, gpus=1))["`--device gpu`, mlp"] == says
