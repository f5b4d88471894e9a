"""What the first user of a GPU runs: ``make test-gpu``. It prints what docs/train.md is to say of it.

Each training has a process of its own, on the sample of MNIST that is part of the project's data.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from toolkit import constraints, extras
from toolkit.errors import UsageError
from toolkit.training import device

# Accuracies of the sample's 1,000 test images vary by about a point from one order of additions to another.
MOST_LOSS = 0.03
EPOCHS = 4

# Calls the command line in a folder and returns (exit code, stdout, stderr).
Call = Callable[[Sequence[str]], tuple[int, str, str]]


def main() -> int:
    tf = extras.load("tensorflow")
    try:
        name = device.choose(tf, "gpu")
    except UsageError as error:
        print(f"there is no GPU to test: {error}", file=sys.stderr)
        return 2
    gpus = len(tf.config.list_physical_devices("GPU"))
    with tempfile.TemporaryDirectory() as folder:

        def call(arguments: Sequence[str]) -> tuple[int, str, str]:
            done = subprocess.run(
                [sys.executable, "-m", "toolkit", *arguments],
                cwd=folder,
                capture_output=True,
                encoding="utf-8",
                check=False,
            )
            return done.returncode, done.stdout, done.stderr

        lines = judge(call, Path(folder), gpus=gpus)
    about = f"{name}, TensorFlow {constraints.installed('tensorflow')}"
    print(f"For docs/train.md, on {about}:\n")
    print("| what | what came of it |\n| --- | --- |")
    for what, came in lines:
        print(f"| {what} | {came} |")
    return 1 if any(came.startswith("FAILED") for _, came in lines) else 0


def judge(call: Call, folder: Path, *, gpus: int) -> list[tuple[str, str]]:
    """Train on the GPU in every way, beside the CPU, and return what came of each way."""
    lines = []
    for model in ("cnn", "mlp"):
        expected: dict[tuple[str, ...], float] = {}
        for number, (way, options) in enumerate(ways(gpus).items()):
            alike = () if "--strategy" in options else options  # one device learns what several do
            if alike not in expected:
                code, out, err = _train(call, model, f"{model}-{number}-cpu", "--device", "cpu", *alike)
                if code:
                    lines.append((f"`{' '.join(('--device cpu', *alike))}`, {model}", f"FAILED: {_last(err)}"))
                    continue
                expected[alike] = json.loads(out)["test_accuracy"]
            name = f"{model}-{number}"
            answer = _train(call, model, name, "--device", "gpu", *options)
            lines.append((f"`{way}`, {model}", _came(answer, folder / "runs" / name, expected[alike])))
    code, _, err = call(["train", "--resume", "--name", "cnn-0", "--epochs", str(EPOCHS + 1), "--device", "gpu"])
    lines.append(("`--resume` on a GPU", f"FAILED: {_last(err)}" if code else "confirmed"))
    code, _, err = call(["export", "cnn-0", "--quantize", "float32"])
    lines.append(("a model of a GPU, exported", f"FAILED: {_last(err)}" if code else "confirmed"))
    if gpus < 2:
        lines.append(("`--strategy mirrored` on GPUs", "not tried: there is one GPU"))
    return lines


def ways(gpus: int) -> dict[str, tuple[str, ...]]:
    """Return what a GPU is to train with, by the options that ask for it."""
    every: list[tuple[str, ...]] = [(), ("--precision", "mixed"), ("--augment", "shift,rotate,zoom,contrast")]
    if gpus > 1:
        every.append(("--strategy", "mirrored"))
    return {" ".join(("--device gpu", *options)): options for options in every}


def _train(call: Call, model: str, name: str, *options: str) -> tuple[int, str, str]:
    common = ["--data", "sample", "--model", model, "--epochs", str(EPOCHS), "--json"]
    return call(["train", *common, "--name", name, *options])


def _came(answer: tuple[int, str, str], run: Path, expected: float) -> str:
    code, out, err = answer
    if code:
        return f"FAILED: {_last(err)}"
    found = json.loads((run / "config.json").read_text(encoding="utf-8"))["device"]
    accuracy = json.loads(out)["test_accuracy"]
    if "GPU" not in found:
        return f"FAILED: it was trained on {found}"
    if "data on the device" not in err:
        return "FAILED: the images did not lie on the GPU"
    if accuracy < expected - MOST_LOSS:
        return f"FAILED: test accuracy {accuracy:.1%}, on the CPU {expected:.1%}"
    return f"confirmed: test accuracy {accuracy:.1%}, on the CPU {expected:.1%}"


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1].replace("|", "/")


if __name__ == "__main__":
    sys.exit(main())
