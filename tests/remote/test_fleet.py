"""What the user reads of devices that answer badly, whatever they were sent."""

from tests.remote.scripted import HELLO, READY
from tests.remote.test_devices import ONE
from toolkit.remote import ssh
from toolkit.remote.wire import MARK


def test_what_fails_when_the_work_is_handed_over_is_named(call_here, scripted):
    full = {"error": "disk", "output": "No space left on device", "free_bytes": 0}
    gone = {"error": "system", "output": "/cache/python: No such file or directory"}
    ready = (HELLO, {"ready": True, "missing": []})
    for name, said in (("full", full), ("gone", gone)):
        scripted.device(name, *ready, MARK, said)
    assert call_here("verify", ONE, "--on", "full")[::2] == (
        2,
        ["error: full: its disk is full (0 B free); an environment takes about 300 MB"],
    )
    assert call_here("verify", ONE, "--on", "gone")[::2] == (
        2,
        ["error: gone: its environment does not start: /cache/python: No such file or directory"],
    )


def test_a_verification_that_is_cut_off_names_the_way_on(call_here, scripted, monkeypatch):
    monkeypatch.setattr(ssh, "END_S", 0.2)
    scripted.device("cut", *READY, b"no message\n")
    code, _, err = call_here("verify", ONE, "--on", "cut")
    assert (code, len(err)) == (2, 1)
    assert err[0].startswith("error: cut: what runs there ended with ")
    assert err[0].endswith("; run the same command again: what was copied and installed is still there")
