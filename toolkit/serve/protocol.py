"""HTTP for clients that are slow, many or make no sense: uvicorn alone would wait for a request's head for ever."""

import asyncio
import json

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from toolkit.serve import limits
from toolkit.serve.refusal import document


class Protocol(H11Protocol):
    """One connection. It ends if a request's head is not here in time, and at once where there are too many others."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        if len(self.connections) > limits.CONNECTIONS:
            transport.abort()
            return
        self._deadline = self.loop.call_later(limits.HEAD_S, self._give_up)

    def handle_events(self) -> None:
        """Wait for the next head as soon as some of it is here, and no longer once all of it is."""
        super().handle_events()
        waiting = self.conn.their_state is h11.IDLE and bool(self.conn.trailing_data[0])
        if not waiting and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        elif waiting and self._deadline is None:
            self._deadline = self.loop.call_later(limits.HEAD_S, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, as JSON."""
        self._refuse(400, "this is no request of HTTP/1.1")

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self._refuse(408, f"the request's head took more than {limits.HEAD_S:g} s")

    def _refuse(self, status: int, message: str) -> None:
        body = json.dumps(document(status, message)).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            for event in (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
