"""Who is refused while the request is still on its way gets to read why."""

import asyncio

import pytest

from toolkit.serve import limits
from toolkit.serve.linger import Linger
from toolkit.serve.refusal import RefusedError

PIECE = {"type": "http.request", "body": b"x", "more_body": True}
LAST = {"type": "http.request", "body": b"x", "more_body": False}


def exchanged(*arriving, reads=0, closing=True, ends=True):
    """Refuse a request after so many pieces of it; return in which order pieces came and parts of the answer went."""
    order, waiting = [], list(arriving)

    async def refuse(scope, receive, send):
        for _ in range(reads):
            await receive()
        await RefusedError(413, "too much", closing=closing).response(scope, receive, send)

    async def receive():
        if not waiting and not ends:
            await asyncio.sleep(60)
        order.append("piece")
        return waiting.pop(0)

    async def send(message):
        order.append("start" if message["type"] == "http.response.start" else message.get("more_body", False))

    asyncio.run(Linger(refuse)({"type": "http"}, receive, send))
    return order


@pytest.mark.parametrize("last", [LAST, {"type": "http.disconnect"}])
def test_the_answer_goes_at_once_and_ends_behind_the_request(last):
    assert exchanged(PIECE, PIECE, last) == ["start", True, "piece", "piece", "piece", False]


def test_what_was_read_is_not_waited_for():
    assert exchanged(LAST, reads=1) == ["piece", "start", False]
    assert exchanged(PIECE, LAST, reads=1) == ["piece", "start", True, "piece", False]


def test_a_connection_that_stays_is_left_alone():
    assert exchanged(PIECE, LAST, closing=False) == ["start", False]


def test_a_client_that_goes_on_is_cut_off(monkeypatch):
    monkeypatch.setattr(limits, "LINGER_S", 0.01)
    assert exchanged(PIECE, ends=False) == ["start", True, "piece", False]
