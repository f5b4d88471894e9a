"""Whatever a report holds, it tells nobody whose machine it is of, and all the rest."""

import ast
import json
import random
import re
import shutil
from pathlib import Path

import pytest

import toolkit
from tests.doctor.test_report import SHIPPED, all_are
from tests.host.machines import PI_4, PI_5, machine
from toolkit.doctor import privacy, report, vocabulary
from toolkit.doctor.probe import Finding, Probe
from toolkit.doctor.remedy import pip
from toolkit.doctor.report import examine

PACKAGE = Path(toolkit.__file__).parent
# The modules whose sentences get into a report.
SPEAKING = (
    *sorted((PACKAGE / "doctor").glob("*.py")),
    *(PACKAGE / name for name in ("manifest.py", "golden.py", "parity/recorded.py", "parity/checks.py")),
    PACKAGE / "bench" / "conditions.py",
    PACKAGE / "worker" / "process.py",
)
# Strings in them that are no words: keys, patterns, and names of what privacy knows.
SILENT = {"privacy.py", "vocabulary.py"}
SECRET = "zqxvy"


def text_of(said: str, *, files=()) -> str:
    document = {"findings": [{"name": "numpy", "state": "broken", "text": said, "remedy": None}]}
    return privacy.redact(document, files)["findings"][0]["text"]


@pytest.fixture
def somebody(monkeypatch):
    """A user and a host of no common names."""
    for variable in ("USER", "LOGNAME", "SUDO_USER"):
        monkeypatch.setenv(variable, "alice")
    monkeypatch.setenv("HOME", "/home/alice")
    monkeypatch.setattr("platform.node", lambda: "alices-pi.example.org")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")


def test_of_a_sound_report_nothing_is_lost(tmp_path, somebody, monkeypatch):
    """A key that the report gets must be listed, or it would be dropped without a word."""
    shutil.copytree(SHIPPED, tmp_path / "models" / "mlp")

    def ran(part):
        finding = Finding(part, "ok", "numpy 2.4.6, imported on CPU")
        return Probe(part, finding, {"numpy": "2.4.6"}, ("CPU", "GPU (NVIDIA GeForce RTX 4090)"))

    monkeypatch.setattr(report, "failures", lambda paths, working, kernels: {})
    root = machine(tmp_path, cpuinfo=PI_4, governor="ondemand\n", temperature="82100\n", throttled="50005\n")
    examined = examine([tmp_path / "models"], root=root, try_part=ran)
    told = examined.to_json()
    monkeypatch.setattr(privacy, "redact", lambda document, files: document)
    monkeypatch.setattr("toolkit.doctor.remedy.interpreter", lambda: "python")
    whole = examined.to_json()
    whole["host"]["os"] = told["host"]["os"]  # of the machine that this test runs on
    assert json.loads(json.dumps(told)) == json.loads(json.dumps(whole))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("ImportError: No module named 'google.protobuf'", None),
        ("OSError: libopenblas.so.0: cannot open shared object file: No such file or directory", None),
        ("ImportError: /lib/libc.so.6: version `GLIBC_2.38' not found (required by /home/bob/x.so)",
         "ImportError: <…>: version `GLIBC_2.38' not found (required by <…>)"),
        ("numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88", None),
        ("litert was ended by SIGILL when importing it: it uses an instruction that this CPU does not have", None),
        ("version 2.4.6 is installed, 2.3.1 is tested", None),
        ("[Errno 13] Permission denied: '/media/alice/My Secret (2), old: b [c]/x.tflite'",
         "[Errno 13] Permission denied: <…>"),
        ("../bob/client-x/mlp.tflite: no", "<…>: no"),
        ("client-x/mlp.tflite: no", "<…>: no"),
        ("client.x/a: no", "<…>: no"),
        (r"C:\Users\bob\x.tflite is missing", "<…> is missing"),
        ("https://bob:hunter2@example.org/simple failed", "<…> failed"),
        ("connection to 192.168.17.4:8080 refused", "connection to <…> refused"),
        ("connection to 192.168.17.4 refused", "connection to <…> refused"),
        ("connection to fe80::1ff:fe23:4567:890a refused", "connection to <…> refused"),
        ("connection to 8.8.8.8:5 or 1:2:3:4:5:6:7:8 refused", "connection to <…> or <…> refused"),
        ("key 4915112345678 not found", "key <…> not found"),
        ("alice@alices-pi said no", "<…> no"),
        ("~alice/models and ~/models", "<…> and <…>"),
        ("no\x1b]0;zqxvy\x07\u202e file", "<…> file"),
    ],
)  # fmt: skip
def test_of_a_text_only_known_words_are_told(said, told, somebody):
    assert text_of(said) == (said if told is None else told)


def test_the_user_and_the_host_are_not_told_though_they_are_named_like_a_word(somebody, monkeypatch):
    monkeypatch.setenv("USER", "will")
    monkeypatch.setattr("platform.node", lambda: "memory")
    assert text_of("no memory, said will") == "no <…>"
    assert privacy.redact({"artifacts": [{"path": "/home/will/will-int8.tflite"}]}) == {
        "artifacts": [{"path": "<…>-int8.tflite"}]
    }


def test_a_file_of_the_report_is_told_by_its_name_wherever_it_stands(somebody):
    files = [Path("/home/bob/My Secret (2), old: b [c]/mlp int8.tflite"), Path("client-x/mlp.onnx")]
    said = f"{files[0]}: changed since it was exported; '{files[1]}' has the same name"
    assert text_of(said, files=files) == "mlp int8.tflite: changed since it was exported; 'mlp.onnx' has the same name"
    assert text_of("/home/client-x/mlp.onnx is missing", files=files) == "<…> is missing"


def test_keys_and_values_of_no_known_kind_are_dropped(somebody):
    document = {
        SECRET: 1,
        "packages": {SECRET: "1.0", "numpy": f"1.0+{SECRET}", "onnx": "1.2.3.dev4"},
        "instruction_sets": {"AVX2": True, SECRET: True, "AVX": SECRET},
        "host": {"cpu": f"Cortex-A76 {SECRET}", SECRET: 1, "cores": SECRET, "os": f"Linux 6.1.0-rpi7-{SECRET}+"},
        "artifacts": [{"path": f"{SECRET}/mlp.onnx", "sha256": SECRET, SECRET: 1}],
        "data": {"mnist": True, SECRET: True},
    }
    told = privacy.redact(document)
    assert SECRET not in json.dumps(told)
    assert told["packages"] == {"numpy": "<…>", "onnx": "1.2.3.dev4"}
    assert told["host"] == {"cpu": "Cortex-A76 <…>", "cores": None, "os": "Linux 6.1.0-<…>"}
    assert told["data"] == {"mnist": True}


@pytest.mark.parametrize(
    "os",
    ["Linux 6.1.0-rpi7-rpi-v8", "Linux 6.6.31+rpt-rpi-2712", "Linux 5.15.0-105-generic", "Linux 6.8.0-1010-aws"],
)
def test_a_common_kernel_is_told_whole(os, somebody):
    assert privacy.redact({"host": {"os": os}}) == {"host": {"os": os}}


@pytest.mark.parametrize(
    "cpu",
    [
        "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz",
        "AMD EPYC 7B13 64-Core Processor",
        "AMD Ryzen 7 PRO 5850U with Radeon Graphics",
        "11th Gen Intel(R) Core(TM) i7-1185G7 @ 3.00GHz",
        "Cortex-A76",
        "Arm core 0xd4f",
        "Raspberry Pi 4 Model B Rev 1.5",
    ],
)
def test_a_common_cpu_is_told_whole(cpu, somebody):
    assert privacy.redact({"host": {"cpu": cpu}}) == {"host": {"cpu": cpu}}


@pytest.mark.slow
def test_no_planted_secret_is_told(somebody):
    """Among words that are told and in every kind of bracket, joined to them and by itself, in every text."""
    choose = random.Random(0)
    words = [*vocabulary.OWN.split(), *vocabulary.SYSTEM.split(), "OSError", "2.4.6", "3", "SIGILL", "numpy==2.4.6"]
    joints = [*"/\\.-_:@=+,'[~%#", "==", "", "](", "://", "\x1b["]
    for _ in range(1000):
        pieces = [choose.choice(words) for _ in range(choose.randrange(6))]
        place = choose.randrange(len(pieces) + 1)
        secret = "".join(choose.choice([c, c.upper()]) for c in SECRET)
        before, after = choose.choice(words), choose.choice(words)
        joined = choose.choice(["", before + choose.choice(joints)]), choose.choice(["", choose.choice(joints) + after])
        pieces.insert(place, secret.join(joined))
        text = choose.choice([" ", "  ", "\n", ", ", "/"]).join(pieces)
        text = choose.choice(["{}", "'{}'", "({})", "[{}]", "{}:", "--{}"]).format(text)
        finding = {"name": text, "state": text, "text": text, "remedy": f"{pip(text)}"}
        document = {
            "toolkit": text,
            "host": {**dict.fromkeys(("cpu", "arch", "model", "governor", "virtual", "kernels", "os", "python"), text)},
            "parts": [{**finding, "versions": {text: "1", "numpy": text}, "devices": [text]}],
            "artifacts": [{"problem": text, "golden": text, "sha256": text}],
            "findings": [finding],
            "packages": {text: "1"},
            "verdict": text,
        }
        told = json.dumps(privacy.redact(document, [Path("mlp.onnx")]))
        assert SECRET not in told.casefold(), text


def test_what_a_worker_says_of_a_file_is_told(somebody):
    for said in ("was ended by SIGSEGV", "did not answer for 60 s and was ended", "failed: no message"):
        text = f"client-x/mlp.onnx: onnxruntime {said}"
        assert text_of(text, files=[Path("client-x/mlp.onnx")]) == f"mlp.onnx: onnxruntime {said}"


def test_every_word_of_the_sentences_of_a_report_is_known():
    known = set(vocabulary.OWN.split())
    unknown = {}
    for module in SPEAKING:
        if module.name in SILENT:
            continue
        tree = ast.parse(module.read_text(encoding="utf-8"))
        documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        documentation |= {id(node.returns) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
                sentence = node.value if " " in node.value else ""  # what has no space is a key or a name
                unknown |= {
                    word: module.name for word in re.findall(r"[A-Za-z]{2,}", sentence) if word.casefold() not in known
                }
    assert unknown == {}


def test_a_broken_machine_is_told_without_its_paths(tmp_path, somebody):
    said = "ImportError: /opt/zqxvy/x.so: undefined symbol: _ZN5zqxvy"
    told = examine([], root=machine(tmp_path, cpuinfo=PI_5), try_part=all_are("broken", said)).to_json()
    assert SECRET not in json.dumps(told)
    assert told["parts"][0]["text"] == "ImportError: <…>: undefined symbol: <…>"
