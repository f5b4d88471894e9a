"""``toolkit certify`` while another program keeps one of the cores busy: it must pass all the same.

python tests/benchmarks/busy_core.py exported/cnn/cnn-int8.tflite
"""

import os
import subprocess
import sys
from pathlib import Path

BUSY = "while True: pass"


def main() -> int:
    core = min(os.sched_getaffinity(0))
    with subprocess.Popen(["taskset", "--cpu-list", str(core), sys.executable, "-c", BUSY]) as busy:
        try:
            return subprocess.run([Path(sys.executable).with_name("toolkit"), "certify", *sys.argv[1:]]).returncode
        finally:
            busy.kill()


if __name__ == "__main__":
    sys.exit(main())
