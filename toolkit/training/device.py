"""The device that training runs on."""

from typing import Any

from toolkit.errors import UsageError

DEVICES = ("auto", "gpu", "cpu")


def choose(tf: Any, device: str) -> str:
    """Make TensorFlow use ``auto`` (a GPU where there is one), ``gpu`` or ``cpu``; return the device's name.

    GPU memory grows with the need, so that other programs keep theirs. Call it before TensorFlow has run anything.
    """
    if device not in DEVICES:
        raise UsageError(f"unknown device '{device}'; allowed: {', '.join(DEVICES)}")
    gpus = tf.config.list_physical_devices("GPU")
    if device == "gpu" and not gpus:
        built = "can" if tf.test.is_built_with_cuda() else "cannot"
        raise UsageError(
            f"TensorFlow sees no GPU (this build {built} use CUDA); use --device cpu, or install the driver and "
            "pip install 'edge-model-toolkit[gpu]'"
        )
    if device == "cpu" or not gpus:
        tf.config.set_visible_devices([], "GPU")
        return "CPU"
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    details = tf.config.experimental.get_device_details(gpus[0])
    return f"GPU ({details.get('device_name', gpus[0].name)})"
