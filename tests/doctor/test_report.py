"""What `toolkit doctor` makes of machines, parts and files; and that it tells nobody whose machine it is."""

import json
import shutil
from pathlib import Path

import pytest

from tests.host.machines import PI_4, PI_5, machine
from toolkit import constraints
from toolkit.doctor import report
from toolkit.doctor.probe import Finding, Probe
from toolkit.doctor.remedy import COPY, EXPORT, EXPORT_ANEW, pip
from toolkit.doctor.report import examine
from toolkit.errors import ArtifactError

SHIPPED = Path(__file__).parents[2] / "exported" / "mlp"


def all_are(state, text="as it is"):
    return lambda part: Probe(part, Finding(part, state, text))


def only(working):
    return lambda part: Probe(part, Finding(part, "ok" if part in working else "absent", ""))


@pytest.fixture(autouse=True)
def _versions_do_not_matter(monkeypatch):
    monkeypatch.setattr(constraints, "tested", dict)


@pytest.fixture(autouse=True)
def _no_file_is_run(monkeypatch):
    monkeypatch.setattr(report, "failures", lambda paths, working, kernels: {})


@pytest.fixture
def pi(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "aarch64")


def found(examined):
    return {(finding.name, finding.state): finding for finding in examined.findings}


def test_one_runtime_is_enough(tmp_path, pi):
    examined = examine([], root=machine(tmp_path, cpuinfo=PI_5), try_part=only({"numpy", "litert"}))
    assert (examined.verdict, examined.findings) == ("ok", [])


def test_no_runtime_at_all_is_broken(tmp_path, pi):
    examined = examine([], root=machine(tmp_path, cpuinfo=PI_5), try_part=only({"numpy", "pillow"}))
    assert examined.verdict == "broken"
    assert found(examined)["runtimes", "broken"].remedy == pip("install 'edge-model-toolkit[edge]'")


def test_a_broken_runtime_is_broken_though_another_works(tmp_path, pi):
    def one_broken(part):
        return Probe(part, Finding(part, "broken" if part == "onnxruntime" else "ok", ""))

    examined = examine([], root=machine(tmp_path, cpuinfo=PI_5), try_part=one_broken)
    assert list(found(examined)) == [("onnxruntime", "broken")]
    assert examined.verdict == "broken"


def test_an_artifact_that_fails_here_is_broken(exported, tmp_path, pi, monkeypatch):
    path = exported / "cnn-int8.onnx"
    monkeypatch.setattr(report, "failures", lambda paths, working, kernels: {path: f"{path}: was ended by {kernels}"})
    examined = examine([exported], root=machine(tmp_path, cpuinfo=PI_5), try_part=all_are("ok"))
    assert examined.verdict == "broken"
    said = found(examined)[str(path), "broken"]
    assert said.text == f"{path}: was ended by aarch64 with dotprod"
    assert said.remedy == EXPORT_ANEW
    document = examined.to_json()
    assert str(tmp_path) not in json.dumps(document)
    assert [one["path"] for one in document["artifacts"] if one["golden"]] == ["cnn-int8.onnx"]


def test_what_breaks_several_parts_is_told_once(tmp_path, pi):
    """Each runtime imports numpy."""

    def numpy_broken(part):
        return Probe(
            part, Finding(part, "ok" if part == "pillow" else "broken", "numpy was ended by SIGILL", "mend it")
        )

    examined = examine([], root=machine(tmp_path, cpuinfo=PI_5), try_part=numpy_broken)
    assert examined.findings == [Finding("numpy", "broken", "numpy was ended by SIGILL", "mend it")]


def test_without_numpy_the_data_sets_are_not_looked_for(tmp_path, pi):
    """Looking for them imports numpy, in this process."""
    examined = examine([], root=machine(tmp_path, cpuinfo=PI_5), try_part=all_are("broken"))
    assert examined.data == {}
    assert examined.verdict == "broken"


def test_a_raspberry_pi_4_with_too_weak_a_power_supply_is_warned_and_not_broken(tmp_path, pi):
    root = machine(
        tmp_path, cpuinfo=PI_4, governor="ondemand\n", clock_0="600000\n", temperature="82100\n", throttled="50005\n"
    )
    examined = examine([], root=root, try_part=all_are("ok"))
    assert examined.verdict == "ok"
    assert [(f.name, f.text) for f in examined.findings] == [
        ("governor", "it is ondemand: the clock follows the load"),
        ("temperature", "82.1 °C: the clock is lowered"),
        ("firmware", "under-voltage now"),
        ("firmware", "throttled now"),
        ("firmware", "under-voltage since boot"),
        ("firmware", "throttled since boot"),
    ]
    assert all(finding.remedy for finding in examined.findings)


def test_an_emulated_cpu_has_no_instruction_sets_to_tell(tmp_path, pi):
    root = machine(tmp_path, cpuinfo=PI_5, modalias="cpu:type:x86,ven0000fam0006mod00A7:feature:,0000")
    examined = examine([], root=root, try_part=all_are("ok"))
    assert examined.machine.instruction_sets == {}
    assert ("CPU", "warning") in found(examined)


def test_a_32_bit_system_gets_one_clear_sentence(tmp_path, pi, monkeypatch):
    monkeypatch.setattr("toolkit.host.facts.bits", lambda: 32)
    examined = examine([], root=machine(tmp_path, cpuinfo=PI_4), try_part=only({"numpy"}))
    assert [finding.name for finding in examined.findings] == ["Python"]
    assert "built for 64-bit systems only; install the 64-bit Raspberry Pi OS" in examined.findings[0].text


def test_a_version_that_is_not_the_tested_one_is_a_warning(tmp_path, pi, monkeypatch):
    monkeypatch.setattr(constraints, "tested", lambda: {"numpy": "1.0", "not-there": "1.0", "pip": "1.0"})
    examined = examine([], root=machine(tmp_path, cpuinfo=PI_5), try_part=all_are("ok"))
    assert list(found(examined)) == [("numpy", "warning")]
    assert examined.findings[0].remedy == pip("install 'numpy==1.0'")
    assert examined.to_json()["tested_otherwise"] == {"numpy": "1.0"}


def test_artifacts_are_held_against_their_digests_and_only_whole_ones_are_run(tmp_path, pi, monkeypatch):
    folder = shutil.copytree(SHIPPED, tmp_path / "models" / "mlp")
    (folder / "mlp-int8.tflite").write_bytes(b"changed")
    (folder / "mlp-int8.onnx").unlink()
    given = []
    monkeypatch.setattr(report, "failures", lambda paths, working, kernels: given.append((paths, working)) or {})
    working = {"numpy", "litert", "keras"}
    examined = examine([tmp_path / "models"], root=machine(tmp_path, cpuinfo=PI_5), try_part=only(working))
    ((paths, runtimes),) = given
    assert runtimes == {"litert", "keras"}
    assert folder / "mlp-float32.onnx" in paths
    assert not {"mlp-int8.tflite", "mlp-int8.onnx"} & {path.name for path in paths}
    texts = [finding.text for finding in examined.findings]
    assert len(texts) == 2
    assert "mlp-int8.onnx: named in" in texts[0]
    assert "mlp-int8.tflite: changed since it was exported" in texts[1]
    assert {finding.remedy for finding in examined.findings} == {EXPORT}
    assert examined.verdict == "broken"


def test_without_keras_a_damaged_file_is_to_be_copied_again(tmp_path, pi):
    """An export takes TensorFlow, which a device does not have."""
    folder = shutil.copytree(SHIPPED, tmp_path / "models" / "mlp")
    (folder / "mlp-int8.tflite").write_bytes(b"changed")
    (tmp_path / "models" / "cut").mkdir()
    (tmp_path / "models" / "cut" / "manifest.json").write_text('{"schema": 1')
    root = machine(tmp_path, cpuinfo=PI_5)
    for working, remedy in (({"numpy", "litert"}, COPY), ({"numpy", "litert", "keras"}, EXPORT)):
        examined = examine([tmp_path / "models"], root=root, try_part=only(working))
        assert [finding.remedy for finding in examined.findings] == [remedy, remedy]


def test_a_manifest_that_cannot_be_read_is_broken_and_leaves_the_others(tmp_path, pi):
    shutil.copytree(SHIPPED, tmp_path / "models" / "mlp")
    (tmp_path / "models" / "cut").mkdir()
    (tmp_path / "models" / "cut" / "manifest.json").write_text('{"schema": 1')
    examined = examine([tmp_path / "models"], root=machine(tmp_path, cpuinfo=PI_5), try_part=all_are("ok"))
    assert len(examined.files) == 9  # 6 artifacts, the Keras original, the golden outputs and the scores
    assert [(f.state, "cannot be read" in f.text) for f in examined.findings] == [("broken", True)]


def test_a_path_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ArtifactError, match="no such file or folder"):
        examine([tmp_path / "none"], try_part=all_are("ok"))


def test_the_json_names_no_user_no_host_and_no_folder(tmp_path, pi, monkeypatch):
    home = tmp_path / "home" / "alice smith"
    models = home / "models"
    shutil.copytree(SHIPPED, models / "mlp")
    (models / "mlp" / "mlp-int8.onnx").write_bytes(b"")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TOOLKIT_DATA_DIR", "/media/alice/stick/digits")
    monkeypatch.setenv("USER", "alice")
    monkeypatch.setenv("LOGNAME", "alice")
    monkeypatch.setattr("platform.node", lambda: "alices-pi.example.org")
    monkeypatch.setattr(report, "_data", lambda: {"mnist": Path("/media/alice/stick/digits/mnist.npz")})
    said = (
        f"ImportError: {home}/.venv/lib/x.so: cannot open; "
        "see '/opt/alice/build/y.py', file:///home/bob/z, alice@alices-pi, alice_models"
    )
    # An interpreter of a name that the shell must not read.
    monkeypatch.setattr("sys.executable", f"{home}/it's/bin/python")
    examined = examine([models], root=machine(tmp_path, cpuinfo=PI_5), try_part=all_are("broken", said))
    document = examined.to_json()
    text = json.dumps(document)
    for private in ("alice", "smith", "bob", "alices-pi", "example.org", "/home", "/media", "/opt", "it's", "/models"):
        assert private not in text, private
    assert document["parts"][0]["text"] == "ImportError: <…>: cannot open; see <…>"
    assert document["artifacts"][0]["path"] == "mlp-float32.onnx"
    assert document["data"] in ({"mnist": True}, {})
    assert document["verdict"] == "broken"


@pytest.mark.parametrize("given", ["client-x", "../client-x", "../home/client-x/models"])
def test_a_path_as_the_user_gave_it_is_told_by_its_name_alone(tmp_path, pi, monkeypatch, given):
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    folder = shutil.copytree(SHIPPED, Path(given) / "mlp")
    (folder / "mlp-int8.tflite").write_bytes(b"changed")
    (folder / "mlp-int8.onnx").unlink()
    (Path(given) / "cut").mkdir()
    (Path(given) / "cut" / "manifest.json").write_text('{"schema": 1')

    def failing(paths, working, kernels):
        return {paths[0]: f"{paths[0]}: was ended by SIGSEGV"}

    monkeypatch.setattr(report, "failures", failing)
    document = examine([Path(given)], root=machine(tmp_path, cpuinfo=PI_5), try_part=all_are("ok")).to_json()
    assert not any(private in json.dumps(document) for private in ("client-x", "home", "models", "mlp/", "cut/"))
    assert document["artifacts"][0]["golden"] == "mlp-float32.onnx: was ended by SIGSEGV"
    assert {finding["name"] for finding in document["findings"]} == {
        "mlp-float32.onnx",
        "mlp-int8.onnx",
        "mlp-int8.tflite",
        "manifest.json",
    }
    assert document["findings"][0]["text"].startswith("mlp-int8.onnx: named in manifest.json but missing")


def test_a_command_names_the_python_of_this_installation(tmp_path, monkeypatch):
    """`make edge` calls it by its path, and a bare pip is then the system's."""
    monkeypatch.setattr("sys.executable", str(tmp_path / "my project" / ".venv-edge" / "bin" / "python"))
    monkeypatch.chdir(tmp_path)
    assert pip("install x") == "'my project/.venv-edge/bin/python' -m pip install x"
    (tmp_path / "my project" / ".venv-edge" / "bin").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "my project")
    assert pip("install x") == ".venv-edge/bin/python -m pip install x"
    monkeypatch.chdir(tmp_path / "my project" / ".venv-edge" / "bin")
    assert pip("install x") == "./python -m pip install x"
    monkeypatch.setattr("sys.executable", "/usr/bin/python3")
    assert pip("install x") == "/usr/bin/python3 -m pip install x"


def test_a_file_whose_runtime_is_not_installed_is_not_called_whole(shipped, tmp_path, pi):
    def absent(part):
        return Probe(part, Finding(part, "ok" if part == "numpy" else "absent", f"{part} is not installed", "get it"))

    root, path = machine(tmp_path, cpuinfo=PI_5), shipped / "mlp-int8.onnx"
    said = found(examine([path], root=root, try_part=absent))[str(path), "broken"]
    assert (said.text, said.remedy) == ("onnxruntime is not installed", "get it")
    assert (str(path), "broken") not in found(examine([shipped], root=root, try_part=absent))


def test_a_file_of_somebody_else_that_crashes_cannot_be_exported_again(tmp_path, pi, monkeypatch):
    path = tmp_path / "crash.tflite"
    path.write_bytes(b"crash")
    monkeypatch.setattr(report, "failures", lambda paths, working, kernels: {path: f"{path}: was ended by SIGSEGV"})
    examined = examine([path], root=machine(tmp_path, cpuinfo=PI_5), try_part=all_are("ok"))
    assert found(examined)[str(path), "broken"].remedy is None
    (file,) = examined.to_json()["artifacts"]
    assert (file["path"], file["listed"], file["golden"]) == (path.name, False, "crash.tflite: was ended by SIGSEGV")
