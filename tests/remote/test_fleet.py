"""What the user reads of devices that answer badly, whatever they were sent."""

from tests.remote.scripted import HELLO
from tests.remote.test_devices import ONE
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
