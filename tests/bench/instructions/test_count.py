"""What an inference executes, counted by qemu-user where it is there."""

from dataclasses import replace
from pathlib import Path

import pytest

from toolkit import host, runtimes
from toolkit.bench import instructions
from toolkit.bench.instructions import Instructions, perf, qemu, versus
from toolkit.errors import ArtifactError, UsageError
from toolkit.worker.process import COMMAND

USUAL = qemu.usual()
ROWS, WIDTH = 2400, 16
needs_qemu = pytest.mark.skipif(qemu.lacking(USUAL) is not None, reason=f"{qemu.lacking(USUAL)}")


def dense(folder: Path, rows: int) -> Path:
    """Write an artifact of one dense layer, whose work is that of its rows."""
    path = folder / f"{rows}.tflite"
    assert runtimes.get("litert").write_probe(path, arithmetic="float32", rows=rows, width=WIDTH)
    return path


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """Count 2,400 rows and one percent more, of which kernels take 4, 6, 8 or 12 at a time: two processes."""
    folder = tmp_path_factory.mktemp("dense")
    return [instructions.count(dense(folder, rows), cpu=USUAL) for rows in (ROWS, ROWS * 101 // 100)]


@needs_qemu
@pytest.mark.slow
def test_one_percent_more_work_is_one_percent_more_instructions_to_a_thousandth(counted):
    first, more = (one.count for one in counted)
    assert more / first == pytest.approx(1.01, abs=0.001)
    assert first > ROWS * WIDTH * WIDTH / 16  # multiply-accumulates, 16 at most in an instruction


@needs_qemu
@pytest.mark.slow
def test_a_count_says_what_counted_it_and_where(counted):
    one = counted[0]
    assert one.where.startswith("qemu-")
    assert one.where.endswith(f" on {USUAL}")
    assert (one.runtime, one.remark) == ("litert", None)
    assert one.versions.keys() == {"ai-edge-litert"}


@pytest.fixture
def alone(monkeypatch):
    """A machine that counts nothing: neither perf events nor qemu-user."""
    monkeypatch.setattr(perf, "refused", lambda: "Permission denied")
    monkeypatch.setattr(qemu, "usual", lambda: "Haswell")
    monkeypatch.setattr(qemu, "lacking", lambda name: f"qemu is not installed for {name}")


def test_what_cannot_be_counted_is_one_line(alone, tmp_path):
    path = dense(tmp_path, 1)
    with pytest.raises(UsageError) as refused:
        instructions.count(path)
    assert str(refused.value) == (
        "instructions cannot be counted: perf events are not counted here (Permission denied), and qemu is not "
        "installed for Haswell"
    )
    with pytest.raises(UsageError, match=r"^instructions cannot be counted: qemu is not installed for cortex-a72$"):
        instructions.count(path, cpu="cortex-a72")
    with pytest.raises(UsageError, match="unknown CPU 'Z80'; allowed: Nehalem, Haswell, cortex-a53"):
        instructions.count(path, cpu="Z80")
    with pytest.raises(ArtifactError, match=r"m\.keras: its instructions are not counted; export it"):
        instructions.count(tmp_path / "m.keras")


def test_on_an_emulated_machine_nothing_counts(monkeypatch, tmp_path):
    emulated = replace(host.describe(), emulated=True)
    monkeypatch.setattr(host, "describe", lambda: emulated)
    with pytest.raises(UsageError, match="on an emulated machine; count them on the one that emulates it"):
        instructions.count(dense(tmp_path, 1))


@pytest.fixture
def worker(monkeypatch):
    """A worker that counts 7 instructions, or what its ``count`` is set to, and notes what it is asked."""

    class Worker:
        count, asked = 7, []

        def __init__(self, what, tasks, *, command):
            self.asked.append((tasks, command))

        def ask(self, question, *, seconds):
            self.asked.append((question, seconds))
            return {"count": self.count, "remark": None, "versions": {}}, b""

        def close(self):
            self.asked.append("closed")

    monkeypatch.setattr(instructions, "Process", Worker)
    return Worker


def test_where_perf_events_count_the_artifact_runs_as_it_is(worker, monkeypatch, tmp_path):
    monkeypatch.setattr(perf, "refused", lambda: None)
    found = instructions.count(dense(tmp_path, 1))
    assert (found.count, found.counter, found.cpu) == (7, "perf events", host.describe().cpu)
    started, (question, seconds), closed = worker.asked
    assert started == (instructions.TASKS, COMMAND)
    assert closed == "closed"
    assert (question["file"], question["threads"], question["batch"], seconds) == (None, 1, 1, 0.0)


def test_what_perf_events_did_not_count_is_an_error(worker, monkeypatch, tmp_path):
    worker.count = 0
    monkeypatch.setattr(perf, "refused", lambda: None)
    with pytest.raises(ArtifactError, match=r"1\.tflite: its instructions were not counted; try again$"):
        instructions.count(dense(tmp_path, 1))


def test_a_plugin_that_does_not_compile_is_found_out_first(monkeypatch):
    def plugin():
        raise UsageError("plugin.c cannot be compiled")

    monkeypatch.setattr(qemu, "lacking", lambda name: None)
    monkeypatch.setattr(qemu, "plugin", plugin)
    with pytest.raises(UsageError, match=r"^plugin\.c cannot be compiled$"):
        instructions.emulator_for("Haswell")


def test_an_emulator_that_loads_no_plugins_is_found_out(worker, monkeypatch, tmp_path):
    worker.count = 0
    monkeypatch.setattr(qemu, "lacking", lambda name: None)
    monkeypatch.setattr(qemu, "plugin", lambda: tmp_path / "plugin.so")
    monkeypatch.setattr(qemu, "python", lambda name, file: ["python"])
    monkeypatch.setattr(qemu, "version", lambda name: "qemu-x86_64 9.0")
    with pytest.raises(UsageError, match=r"^qemu-x86_64 9\.0 counts nothing: it must load plugins"):
        instructions.count(dense(tmp_path, 1), cpu="Haswell")
    assert worker.asked[0] == (instructions.TASKS, ["python", *COMMAND[1:]])


def counts_of(monkeypatch, **counts):
    """Let files have these counts, by their names; return the shapes that are asked for."""
    asked = []

    def count(path, *, cpu, shapes):
        asked.append(shapes)
        return Instructions("litert", counts[path.stem], "perf events", "some CPU", None, {})

    monkeypatch.setattr(instructions, "count", count)
    return asked


@pytest.mark.parametrize(("more", "passed"), [(1.0, True), (0.5, True), (1.009, True), (1.02, False)])
def test_a_candidate_that_executes_more_than_tolerated_fails(monkeypatch, tmp_path, more, passed):
    files = [tmp_path / name for name in ("old.tflite", "new.tflite")]
    for file in files:
        file.write_text(file.name)
    counts_of(monkeypatch, old=100_000, new=round(more * 100_000))
    steps = []
    found = versus.compare(*files, on_step=steps.append)
    assert (bool(found), found.ratio) == (passed, more)
    assert [step.text for step in steps] == [f"counting {file}" for file in files]
    document = found.to_json()
    assert document["verdict"] == ("pass" if passed else "fail")
    (told,) = document["compared"]
    assert (told["reference_instructions"]["count"], told["ratio"], told["same_file"]) == (100_000, more, False)


def test_two_files_of_one_digest_are_not_counted(tmp_path):
    files = [tmp_path / name for name in ("old.tflite", "new.tflite")]
    for file in files:
        file.write_text("the same")
    found = versus.compare(*files)
    assert found
    assert found.to_json()["compared"][0]["same_file"]
    with pytest.raises(UsageError, match="the tolerance, in percent, is -1; it must be"):
        versus.compare(*files, tolerance=-0.01)
