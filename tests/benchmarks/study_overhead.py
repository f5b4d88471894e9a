"""What `toolkit study` costs beside its trainings, and what a second job gains, on a small grid of the MLP.

Overhead is the wall time of the whole command, with imports, data, checkpoints, charts and report, over the sum of its
runs' training times: eight runs by one job on one core, with the epochs of the published recipe, since most of the rest
is the same for few epochs. What two jobs gain on two cores is measured with fewer epochs, beside one job on both cores.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

GRID = (
    "--model",
    "mlp",
    "--activation",
    "relu,sigmoid",
    "--learning-rate",
    "0.01",
    "--loss",
    "categorical_crossentropy,mse",
)
MOST_OVERHEAD, LEAST_GAIN = 1.15, 1.5


def study(*, data, epochs, jobs, cores):
    """Return (wall time of the command, sum of its runs' training times) in seconds."""
    command = [sys.executable, "-m", "toolkit", "study", *GRID, "--data", data, "--epochs", str(epochs)]
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        done = subprocess.run(
            ["taskset", "--cpu-list", ",".join(map(str, cores)), *command, "--jobs", str(jobs), "--json"],
            cwd=folder,
            stdout=subprocess.PIPE,
            check=True,
        )
        wall_s = time.perf_counter() - start
    return wall_s, sum(run["seconds"] for run in json.loads(done.stdout)["runs"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--epochs", type=int, default=100, help="of each run, for the overhead")
    parser.add_argument("--gain-epochs", type=int, default=20, help="of each run, for the gain of a second job")
    arguments = parser.parse_args()
    two = sorted(os.sched_getaffinity(0))[:2]
    wall_s, training_s = study(data=arguments.data, epochs=arguments.epochs, jobs=1, cores=two[:1])
    print(
        f"one job on one core, {arguments.epochs} epochs: {wall_s:.1f} s, its trainings {training_s:.1f} s, overhead "
        f"{wall_s / training_s:.3f} (required: at most {MOST_OVERHEAD})",
        flush=True,
    )
    one_s, _ = study(data=arguments.data, epochs=arguments.gain_epochs, jobs=1, cores=two)
    two_s, _ = study(data=arguments.data, epochs=arguments.gain_epochs, jobs=2, cores=two)
    print(
        f"two cores, {arguments.gain_epochs} epochs: one job {one_s:.1f} s, two jobs {two_s:.1f} s, "
        f"{one_s / two_s:.2f} times as fast (required: at least {LEAST_GAIN})"
    )
    return int(wall_s / training_s > MOST_OVERHEAD or one_s / two_s < LEAST_GAIN)


if __name__ == "__main__":
    sys.exit(main())
