"""What `toolkit study` costs beside its trainings, and what a second job gains, on a small grid of the MLP.

The grid is run by one job on one core, by one job on two cores, and by two jobs on two cores. Overhead is the wall time
of the whole command, with imports, data, checkpoints, charts and report, over the sum of its runs' training times.
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
    "categorical_crossentropy",
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
    parser.add_argument("--epochs", type=int, default=40)
    arguments = parser.parse_args()
    two = sorted(os.sched_getaffinity(0))[:2]
    walls = {}
    for jobs, cores in ((1, two[:1]), (1, two), (2, two)):
        wall_s, training_s = study(data=arguments.data, epochs=arguments.epochs, jobs=jobs, cores=cores)
        walls[jobs, len(cores)] = wall_s
        print(
            f"{jobs} job(s), {len(cores)} core(s): {wall_s:.1f} s, its trainings {training_s:.1f} s, "
            f"ratio {wall_s / training_s:.3f}" + (f" (required: {MOST_OVERHEAD})" if len(cores) == 1 else ""),
            flush=True,
        )
    for cores in (1, 2):
        gain = walls[1, cores] / walls[2, 2]
        print(f"two jobs on two cores: {gain:.2f} times as fast as one on {cores} core(s) (required: {LEAST_GAIN})")


if __name__ == "__main__":
    main()
