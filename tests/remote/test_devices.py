"""Devices over SSH, for real: an sshd on the loopback address whose logins are devices."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.files import sha256

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "exported" / "mlp"
ONE = SHIPPED / "mlp-int8.tflite"
# The longest that a test waits for what another process is about to do, in seconds; making an environment takes most.
PATIENCE_S = 300
QUICK = ("--processes", "2", "--seconds", "0.05")

pytestmark = pytest.mark.slow


def records(folder=Path()):
    return sorted(folder.glob("benchmarks/*/record.json"))


def test_a_benchmark_runs_there_and_its_record_is_like_one_of_here(toolkit, device):
    code, document, err = toolkit("device", "bench", SHIPPED, "--on", "device", *QUICK, "--json")
    assert code == 0, err
    assert (document["device"], document["command"], len(document["results"])) == ("device", "bench", 6)
    assert {Path(result["artifact"]).parent for result in document["results"]} == {SHIPPED}
    assert document["host"]["python"] == sys.version.split()[0]
    (path,) = records()
    saved = json.loads(path.read_text())
    told = json.loads(json.dumps(document).replace(f"{SHIPPED.parent}/", "").replace(f"{path.parents[1]}/", ""))
    assert {key: value for key, value in told.items() if key != "device"} == saved  # which names no folder
    assert toolkit("record", "check", path.parent)[0] == 0
    code, out, _ = toolkit("record", "compare", path.parent, path.parent)
    assert (code, "surely more than 5 % slower: 0 of 6" in out) == (0, True)
    assert device.processes_after(PATIENCE_S) == []


def test_nothing_is_copied_or_made_twice_and_nothing_is_left(toolkit, device):
    toolkit("device", "bench", ONE, "--on", "device", *QUICK)
    code, _, err = toolkit("device", "bench", ONE, "--on", "device", *QUICK)
    assert code == 0
    assert [line for line in err if "copying" in line or "making" in line] == []
    cache = device.home / ".cache" / "edge-model-toolkit" / "remote"
    assert {path.name for path in cache.iterdir()} == {"blobs", "environments", "lock"}
    assert all(blob.name == sha256(blob) for blob in (cache / "blobs").iterdir())
    assert len(list((cache / "environments").iterdir())) == 1


def test_verify_compares_by_golden_there(toolkit, device):
    code, out, _ = toolkit("device", "verify", SHIPPED, "--on", "device")
    assert (code, out.count("  pass"), "verdict: pass" in out) == (0, 6, True)
    code, document, _ = toolkit("device", "verify", ONE, "--on", "device", "--json")
    assert (code, document["device"], document["verdict"]) == (0, "device", "pass")
    (result,) = document["results"]
    assert (result["artifact"], result["n"], result["recorded_flips"]) == (str(ONE), 500, 0)


def test_an_artifact_that_differs_there_fails_by_its_name_here(toolkit, device, exported):
    (exported / "cnn-int8.tflite").write_bytes(b"changed")
    code, out, _ = toolkit("device", "verify", exported, "--on", "device")
    assert code == 1
    assert f"{exported / 'cnn-int8.tflite'}: changed since it was exported" in out


def test_several_devices_are_measured_side_by_side_and_one_that_is_lost_leaves_the_others(toolkit, server, device):
    server.configure("off", key=server.folder / "device.key", port=1)
    code, document, _ = toolkit("device", "bench", ONE, "--on", "device", "--on", "off", *QUICK, "--json")
    assert code == 2
    good, bad = document["devices"]
    assert (good["device"], len(good["results"]), bad["device"]) == ("device", 1, "off")
    assert bad["error"] == "off: no SSH server answers there; on a Raspberry Pi switch it on with: sudo raspi-config"
    assert len(records()) == 1


def test_two_devices_have_a_column_each(toolkit, server, device, tmp_path):
    """The second name is another login of one machine: its cache is another one's, which only links to the first."""
    other = server.login("other", tmp_path / "home")
    remote = other.home / ".cache" / "edge-model-toolkit" / "remote"
    remote.mkdir(parents=True)
    toolkit("device", "bench", ONE, "--on", "device", *QUICK)
    (remote / "environments").symlink_to(device.home / ".cache" / "edge-model-toolkit" / "remote" / "environments")
    code, out, _ = toolkit("device", "bench", ONE, "--on", "device", "--on", "other", *QUICK)
    assert code == 0
    assert "median of one inference" in out
    heading = next(line for line in out.splitlines() if "device" in line and "other" in line)
    assert heading.split()[-2:] == ["device", "other"]
    assert len(records()) == 3


def test_a_device_is_measured_by_one_at_a_time(toolkit, server, device):
    assert toolkit("device", "bench", ONE, "--on", "device", "--on", "device")[2] == [
        "error: --on names a device twice; its measurements would disturb each other"
    ]
    lock = device.home / ".cache" / "edge-model-toolkit" / "remote" / "lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    holder = subprocess.Popen(["flock", lock, "sh", "-c", "echo; cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"\n"  # it has the lock
        code, _, err = toolkit("device", "bench", ONE, "--on", "device", *QUICK)
    finally:
        holder.communicate()
    assert (code, err) == (2, ["error: device: another toolkit is at work on it; wait until that one is done"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("device", "bench", "none.tflite", "--on", "pi"), "none.tflite: no such file or folder"),
        (("device", "bench", "--on", "-oProxyCommand=x"), "--on is '-oProxyCommand=x', which is no host name"),
        (("device", "bench"), "Missing option '--on'; see: toolkit device bench --help"),
        (("device", "bench", "--on", "pi", "--explain"), "No such option: --explain"),
        (("device", "bench", "--on", "pi", "--wheels", "."), ".: none of the tested wheels is there; fill the folder"),
        (("device", "verify", "--on", "pi", "--save"), "No such option: --save"),
    ],
)
def test_wrong_usage_is_one_line(toolkit, arguments, said):
    paths = [] if "none.tflite" in arguments else [ONE]
    code, _, err = toolkit(*arguments[:2], *paths, *arguments[2:])
    assert (code, len(err)) == (2, 1)
    assert err[0].startswith(f"error: {said}")
