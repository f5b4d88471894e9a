"""What each artifact answers, and what an inference costs: run on this machine and on every emulated CPU.

python -m tests.cpus.inside EXPORTED OUTPUTS.npz [COUNT]

Writes the outputs for the images of golden.npz, by artifact, and to stdout what toolkit and numpy say of the CPU, and
the instructions of one inference of each artifact. COUNT: the file that the plugin of qemu counts in; none is counted
without it.
"""

import json
import sys
from pathlib import Path

import numpy as np

# No public function returns it (numpy.show_runtime prints it): it asks the CPU itself on x86-64, the kernel on Arm.
from numpy._core._multiarray_umath import __cpu_features__  # type: ignore[import-not-found]

from toolkit import golden, host, manifest, runtimes
from toolkit.bench.instructions import qemu
from toolkit.bench.instructions.counting import count_call
from toolkit.runtimes.base import Session

# Instruction sets of toolkit.host by their names in numpy.
ASKED = {
    "AVX": "AVX",
    "AVX2": "AVX2",
    "AVX-512": "AVX512F",
    "VNNI": "AVX512VNNI",
    "dotprod": "ASIMDDP",
    "fp16": "ASIMDHP",
}


def main() -> None:
    """Run every artifact of every manifest below a folder."""
    exported, target, *counting = map(Path, sys.argv[1:])
    shipped = []
    for listing in sorted(exported.glob(f"*/{manifest.MANIFEST}")):
        found = manifest.read(listing.parent)
        images = golden.read(found.golden_path).images
        shipped += [(found.folder / artifact.path, images) for artifact in found.artifacts]
    # All counts first: what was computed before them would leave the memory, and so the counts, otherwise.
    instructions = {path.name: count(path, images, counting[0]) for path, images in shipped} if counting else {}
    outputs = {path.name: open_plainly(path).predict(images) for path, images in shipped}
    np.savez(target, **outputs)
    print(json.dumps({"artifacts": list(outputs), "instructions": instructions, **described()}))


def described() -> dict[str, object]:
    """Return what this CPU is by the system's files, and which instruction sets it has by its own instructions."""
    here = host.describe()
    told = sorted(name for name, has in host.instruction_sets().items() if has)
    offered = sorted(name for name, ours in ASKED.items() if __cpu_features__[ours])
    return {"cpu": here.cpu, "emulated": here.emulated, "told": told, "offered": offered}


def open_plainly(path: Path) -> Session:
    """Open an artifact as any program would: toolkit itself opens a file that saturates on this CPU another way."""
    runtime = runtimes.get(runtimes.for_file(path))
    return runtime.open_session(path, kernels=runtime.KERNELS[0])


def count(path: Path, images: np.ndarray, counting: Path) -> int:
    """Count the instructions of one inference."""
    session = open_plainly(path)
    session.resize(1)
    session.set_inputs([session.encode(session.convention.values(images[:1]))])
    return count_call(session.native_invoke, qemu.counter(counting))


if __name__ == "__main__":
    main()
