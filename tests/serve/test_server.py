"""`toolkit serve` as a process: what it prints, real connections, and how it ends."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.processes import left_after, with_variable
from tests.serve import malformed
from tests.serve.conftest import png, seven
from tests.serve.processes import ARTIFACT, END_S, served
from toolkit.errors import UsageError
from toolkit.serve import limits, server
from toolkit.serve.address import bind


def ask(port, method, path, body=None, **headers):
    """Return the status and the body of an answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def port_of(said):
    return int(re.search(r"http://[^/]+:(\d+)/", said)[1])


@pytest.fixture(scope="module")
def running():
    with served(ARTIFACT, "--port", 0) as (process, said):
        yield process, port_of(said)


def talk(port, sent, *, seconds=30.0):
    """Send bytes, and return all that comes until the server ends the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(sent)
        received = b""
        while piece := connection.recv(1 << 16):
            received += piece
    return received


@pytest.mark.slow
def test_a_server_predicts_refuses_a_second_one_and_ends_at_once(tmp_path):
    """Also with a client that has sent half of a body, and it leaves no process."""
    with served(ARTIFACT, "--port", 0, TOOLKIT_TEST_SERVE=str(tmp_path)) as (process, said):
        port = port_of(said)
        assert said.splitlines() == [f"serving {ARTIFACT}", f"open http://127.0.0.1:{port}/"]
        status, body = ask(port, "POST", "/v1/predict", png(seven()))
        assert status == 200
        assert [one["class"] for one in json.loads(body)["results"][0]["readings"]] == ["7"]

        second = [sys.executable, "-m", "toolkit", "serve", str(ARTIFACT), "--port", str(port)]
        done = subprocess.run(second, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stderr == (
            f"error: 127.0.0.1:{port}: another program listens there; give another --port, or 0 for any that is free\n"
        )

        with socket.create_connection(("127.0.0.1", port)) as slow:
            slow.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf")
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            assert process.wait(END_S) == 130
            head, _, body = slow.recv(1 << 16).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503")
            assert json.loads(body)["error"]["message"] == "the server was ended"
        assert process.stderr.read().splitlines() == ["Ctrl-C ends it", "error: interrupted"]
        assert left_after(END_S, lambda: with_variable("TOOLKIT_TEST_SERVE", str(tmp_path))) == []


@pytest.mark.slow
def test_what_is_no_http_is_refused_as_json(running):
    _, port = running
    for sent in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/1.1\r\nno header\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
    ):
        head, _, body = talk(port, sent).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400")
        assert b"content-type: application/json" in head
        assert json.loads(body)["error"]["message"] == "this is no request of HTTP/1.1"


@pytest.mark.slow
def test_a_hundred_malformed_requests_are_refused_and_do_no_harm(running):
    process, port = running
    found = malformed.run(port, 100)
    assert found[400] > 10
    assert process.poll() is None
    assert ask(port, "POST", "/v1/predict", png(seven()))[0] == 200


@pytest.mark.slow
def test_connections_that_are_cut_cost_the_others_nothing(running):
    _, port = running
    body = png(seven())
    head = f"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    whole = head + body
    for end in (0, 10, len(head), len(whole) - 5, len(whole)):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(whole[:end])
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        for _ in range(3):  # one connection for several requests
            connection.request("POST", "/v1/predict", body)
            assert json.load(connection.getresponse())["results"][0]["readings"][0]["class"] == "7"


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "status"), [("image/png", 413), ("text/plain", 415)])
def test_a_client_that_sends_all_before_it_reads_is_told_why_it_is_refused(running, kind, status):
    _, port = running
    body = b"x" * (limits.BODY_BYTES + 1)
    for _ in range(3):
        assert ask(port, "POST", "/v1/predict", body, **{"Content-Type": kind})[0] == status


def test_the_memory_of_a_burst_goes_back():
    """Of 40 bodies of 1 MB at a time, after a larger one; what lies between them in the heap stays."""
    script = """if True:
        from toolkit.host import process_memory_bytes
        from toolkit.serve import server
        server._return_memory()
        before = process_memory_bytes("VmRSS")
        b"." * (8 << 20)
        burst = [(b"." * (1 << 20), b"." * 2000) for _ in range(40)]
        small = [one for _, one in burst]
        del burst
        print(process_memory_bytes("VmRSS") - before)
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 4 << 20


@pytest.mark.slow
def test_a_server_for_others_prints_a_token_and_a_code_for_the_phone():
    with served(ARTIFACT, "--host", "0.0.0.0", "--port", 0, PYTHONIOENCODING="utf-8") as (_, said):
        first, *code, last = said.splitlines()
        assert first == f"serving {ARTIFACT}"
        link = re.fullmatch(r"open (http://[^/]+:\d+/\?token=([\w-]{32}))", last)
        assert len(code) > 10
        assert len({len(line) for line in code}) == 1
        assert set("".join(code)) <= set("█▀▄ ")
        for token, status in ((None, 401), ("wrong", 401), (link[2], 200)):
            headers = {} if token is None else {"Authorization": f"Bearer {token}"}
            assert ask(port_of(last), "GET", "/", **headers)[0] == status


@pytest.mark.slow
def test_a_script_gets_a_document_and_an_ascii_terminal_no_code():
    with served(ARTIFACT, "--port", 0, "--token", "correct-horse-battery", "--json") as (_, said):
        document = json.loads(said)
        assert document["url"].endswith("/?token=correct-horse-battery")
        assert (document["schema"], document["command"], document["artifacts"]) == (1, "serve", [str(ARTIFACT)])
    with served(ARTIFACT, "--port", 0, "--token", "correct-horse-battery", PYTHONIOENCODING="ascii") as (_, said):
        assert len(said.splitlines()) == 2


@pytest.mark.slow
def test_ctrl_c_is_the_servers_own_by_the_time_it_is_ready():
    """Before, it could come while modules are imported, in which Python may lose it."""
    caught = []

    def ready(address):
        caught.append(signal.getsignal(signal.SIGINT))
        signal.raise_signal(signal.SIGINT)

    here = bind("127.0.0.1", 0, None)
    with pytest.raises(KeyboardInterrupt):
        server.serve([ARTIFACT], here, warn=pytest.fail, on_ready=ready, on_failure=pytest.fail)
    assert signal.default_int_handler not in caught
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("paths", "says"),
    [
        ([], "0 artifacts were given"),
        (["a"] * 2, "a was given twice"),
        (list("abcde"), "5 artifacts were given; allowed: 1 to 4"),
    ],
)
def test_a_few_artifacts_are_served_each_once(paths, says):
    with pytest.raises(UsageError, match=says):
        server.names([Path(path) for path in paths])


def test_artifacts_are_called_by_their_files_unless_two_share_a_name():
    assert server.names([Path("x/a.tflite"), Path("y/b.onnx")]) == ["a.tflite", "b.onnx"]
    assert server.names([Path("x/a.tflite"), Path("y/a.tflite")]) == ["x/a.tflite", "y/a.tflite"]
