"""Connections that say nothing, say it slowly, or are too many: with a loop, and clients of this process."""

import asyncio
import json

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from toolkit.serve import limits
from toolkit.serve.protocol import Protocol


async def answer(scope, receive, send):
    if scope["type"] == "http":
        await PlainTextResponse("here")(scope, receive, send)


async def echo(scope, receive, send):
    if scope["type"] == "http":
        await PlainTextResponse((await receive())["body"])(scope, receive, send)


def talking(conversation, application=answer):
    """Run a conversation with a server of nothing: a function of a port."""

    async def run():
        config = uvicorn.Config(application, port=0, http=Protocol, ws="none", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        config.load()
        task = asyncio.create_task(server._serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            return await asyncio.wait_for(conversation(port), 60)
        finally:
            server.should_exit = True
            await task

    return asyncio.run(run())


async def said(port, *pieces, between_s=0.0):
    """Send pieces with a pause between them, and return all that comes until the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(between_s)
    received = await reader.read()
    writer.close()
    return received


@pytest.mark.parametrize("pieces", [(), (b"GET / HT",), (b"GET / HTTP/1.1\r\n", b"Host: x\r\n", b"A: b\r\n")])
def test_a_head_that_does_not_come_is_not_waited_for(pieces, monkeypatch):
    monkeypatch.setattr(limits, "HEAD_S", 0.2)
    received = talking(lambda port: said(port, *pieces, between_s=0.05))
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408")
    assert json.loads(body)["error"]["message"] == "the request's head took more than 0.2 s"


def test_the_second_head_of_a_connection_is_not_waited_for_either(monkeypatch):
    monkeypatch.setattr(limits, "HEAD_S", 0.3)
    received = talking(lambda port: said(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HT", between_s=0.1))
    assert received.count(b"HTTP/1.1 200") == 1
    assert received.count(b"HTTP/1.1 408") == 1


BODY = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"


def test_nor_is_one_that_begins_with_the_end_of_a_body(monkeypatch):
    monkeypatch.setattr(limits, "HEAD_S", 0.3)
    received = talking(lambda port: said(port, BODY, b"bodyGET / HT", between_s=0.1))
    assert received.count(b"HTTP/1.1 200") == 1
    assert received.count(b"HTTP/1.1 408") == 1


def test_an_upgrade_that_is_not_offered_costs_no_body():
    """As of curl --http2 and of Java's client, which ask for HTTP/2 beside every first request."""
    upgrade = b"\r\nConnection: close, Upgrade\r\nUpgrade: h2c\r\n\r\n"
    received = talking(lambda port: said(port, BODY.replace(b"\r\n\r\n", upgrade) + b"body"), echo)
    assert received.startswith(b"HTTP/1.1 200")
    assert received.endswith(b"body")


def test_what_is_no_request_is_refused_after_a_good_one_too():
    received = talking(
        lambda port: said(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"nonsense\r\n\r\n", between_s=0.1)
    )
    assert received.count(b"HTTP/1.1 200") == 1
    assert received.count(b"HTTP/1.1 400") == 1
    assert received.endswith(b'"message": "this is no request of HTTP/1.1"}}')


def test_a_connection_may_rest_between_two_requests(monkeypatch):
    monkeypatch.setattr(limits, "HEAD_S", 0.2)
    last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    received = talking(lambda port: said(port, last.replace(b"Connection: close\r\n", b""), last, between_s=0.6))
    assert received.count(b"HTTP/1.1 200") == 2


def test_connections_over_the_limit_end_at_once(monkeypatch):
    monkeypatch.setattr(limits, "CONNECTIONS", 1)

    async def two(port):
        _, first = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.1)
        try:
            return await said(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        except ConnectionError:
            return b""
        finally:
            first.close()

    assert talking(two) == b""
