"""The device that training runs on."""

import gc
from typing import Any

from toolkit import extras
from toolkit.errors import UsageError

DEVICES = ("auto", "gpu", "cpu")
CPU = "CPU"
STRATEGIES = ("single", "mirrored")


def choose(tf: Any, device: str) -> str:
    """Make TensorFlow use ``auto`` (a GPU if there is one), ``gpu`` or ``cpu``; return the device's name.

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
    from toolkit.runtimes.keras import gpu_name  # numpy, which the help of the command line does without

    if device == "cpu" or not gpus:
        tf.config.set_visible_devices([], "GPU")
        return CPU
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    return f"GPU ({gpu_name(tf, gpus[0])})"


def strategy(tf: Any, name: str) -> Any | None:
    """Return what spreads each batch over the devices of this machine (``mirrored``), or None (``single``).

    It takes all GPUs, or, if there is none, all logical CPU devices. Call it after ``choose``.
    """
    if name not in STRATEGIES:
        raise UsageError(f"unknown strategy '{name}'; allowed: {', '.join(STRATEGIES)}")
    if name == "single":
        return None
    mirrored = tf.distribute.MirroredStrategy()
    if mirrored.num_replicas_in_sync < 2:
        raise UsageError(
            "--strategy mirrored needs at least two GPUs, TensorFlow sees one device; use --strategy single"
        )
    return mirrored


def limit_threads(threads: int) -> None:
    """Let TensorFlow compute with so many threads. Call it before TensorFlow has run anything."""
    threading = extras.load("tensorflow").config.threading
    threading.set_intra_op_parallelism_threads(threads)
    threading.set_inter_op_parallelism_threads(threads)


def release() -> None:
    """Free what finished runs have left: Keras and TensorFlow keep graphs in reference cycles."""
    extras.load("keras").backend.clear_session()
    gc.collect()
