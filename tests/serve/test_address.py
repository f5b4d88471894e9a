import socket

import pytest

from toolkit.errors import UsageError
from toolkit.serve import address
from toolkit.serve.address import bind


@pytest.fixture
def bound():
    """Bind, and close what was bound."""
    made = []

    def make(*arguments):
        made.append(bind(*arguments))
        return made[-1]

    yield make
    for one in made:
        one.listening.close()


def test_this_machine_alone_needs_no_token(bound):
    found = bound("127.0.0.1", 0, None)
    assert found.token is None
    assert found.link == f"http://127.0.0.1:{found.port}/"
    assert bound("localhost", 0, None).token is None


def test_other_machines_need_a_token(bound, monkeypatch):
    monkeypatch.setattr(address, "own_address", lambda: "192.168.1.5")
    one, other = bound("0.0.0.0", 0, None), bound("0.0.0.0", 0, None)
    assert one.token != other.token
    assert len(one.token) == 32
    assert one.link == f"http://192.168.1.5:{one.port}/?token={one.token}"


def test_a_token_that_is_given_is_the_one(bound):
    found = bound("127.0.0.1", 0, "correct-horse-battery")
    assert found.link.endswith(f":{found.port}/?token=correct-horse-battery")


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 in this Python")
def test_a_link_to_ipv6_has_brackets(bound):
    try:
        found = bound("::1", 0, None)
    except UsageError:
        pytest.skip("this machine has no address ::1")
    assert found.token is None
    assert found.link == f"http://[::1]:{found.port}/"


@pytest.mark.parametrize("token", ["", "short", "has a space in it!!", "größe-größe-größe", "x" * 201])
def test_a_token_that_could_be_guessed_or_is_no_part_of_a_link_is_refused(token):
    with pytest.raises(UsageError, match="the token must be 16 to 200"):
        bind("127.0.0.1", 0, token)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(UsageError, match=f"the port is {port}; allowed: 1 to 65535"):
        bind("127.0.0.1", port, None)


def test_a_port_in_use_says_what_to_do(bound):
    port = bound("127.0.0.1", 0, None).port
    with pytest.raises(UsageError, match=rf"127\.0\.0\.1:{port}: another program listens there; give another --port"):
        bind("127.0.0.1", port, None)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70, "1.2.3.4.5", ""])
def test_a_host_that_is_none_is_refused(host):
    with pytest.raises(UsageError, match="no such host; give an address of this machine"):
        bind(host, 0, None)


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(UsageError, match=r"192\.0\.2\.7:8000: no address of this machine"):
        bind("192.0.2.7", 8000, None)


def test_a_port_for_the_system_alone_is_refused(monkeypatch):
    def create_server(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "create_server", create_server)
    with pytest.raises(UsageError, match="this user may not listen there; give a --port of 1024 or more"):
        bind("127.0.0.1", 80, None)


def test_a_machine_in_no_network_is_called_by_its_name(monkeypatch):
    monkeypatch.setattr(address, "ELSEWHERE", ("300.0.0.1", 9))
    assert address.own_address() == socket.gethostname()
