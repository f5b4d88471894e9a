"""The choice of a device, on machines that are made up."""

from types import SimpleNamespace

import pytest

from toolkit.errors import UsageError
from toolkit.training import device


class Machine:
    """A TensorFlow that sees some GPUs, and notes what it is told about them."""

    def __init__(self, *gpus):
        self.gpus, self.grows, self.hidden = [SimpleNamespace(name=name) for name in gpus], [], False
        details = SimpleNamespace(
            get_device_details=lambda gpu: {"device_name": f"NVIDIA {gpu.name}"},
            set_memory_growth=lambda gpu, grows: self.grows.append((gpu.name, grows)),
        )
        self.config = SimpleNamespace(
            list_physical_devices=lambda kind: self.gpus, set_visible_devices=self._show, experimental=details
        )
        self.test = SimpleNamespace(is_built_with_cuda=lambda: True)

    def _show(self, devices, kind):
        self.hidden = (devices, kind) == ([], "GPU")


@pytest.mark.parametrize("asked", ["auto", "gpu"])
def test_a_gpu_is_taken_by_its_name_and_its_memory_is_left_to_others(asked):
    machine = Machine("one", "two")
    assert device.choose(machine, asked) == "GPU (NVIDIA one)"
    assert (machine.grows, machine.hidden) == ([("one", True), ("two", True)], False)


@pytest.mark.parametrize(("asked", "gpus"), [("cpu", ("one",)), ("auto", ())])
def test_the_cpu_is_taken_where_it_is_asked_for_or_alone(asked, gpus):
    machine = Machine(*gpus)
    assert (device.choose(machine, asked), machine.hidden) == ("CPU", True)


def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match=r"TensorFlow sees no GPU \(this build can use CUDA\); use --device cpu"):
        device.choose(Machine(), "gpu")
    with pytest.raises(UsageError, match="unknown device 'tpu'; allowed: auto, gpu, cpu"):
        device.choose(Machine(), "tpu")
