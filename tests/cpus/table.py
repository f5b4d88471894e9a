"""The emulated CPUs, by the name that qemu has for each. Whatever runs on every CPU runs on these."""

from toolkit.bench.instructions.cpus import CPUS as CPUS
from toolkit.bench.instructions.cpus import Cpu

# Beside the emulated ones: the machine that this runs on.
NATIVE = "native"
# Images of each model's golden that every CPU is given, evenly spread: all of the CNN's would take minutes on each.
IMAGES = {"cnn": 10, "mlp": 125, "tiny": 50}
# Those that the project speaks of as targets: the edge tests are run and instructions are counted on them as well.
DEVICES = {name: CPUS[name] for name in ("cortex-a72", "cortex-a76")}


def of(architecture: str) -> dict[str, Cpu]:
    """Return the CPUs of an architecture."""
    return {name: cpu for name, cpu in CPUS.items() if cpu.architecture == architecture}
