"""HTTP for clients that are slow, many or make no sense: uvicorn alone would wait for a request's head for ever."""

import asyncio
import json

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from toolkit.serve import limits
from toolkit.serve.refusal import document


class Protocol(HttpToolsProtocol):
    """One connection. It ends if a request's head is not here in time or is too long, and at once where there are too
    many others.
    """

    _deadline: asyncio.TimerHandle | None = None
    # Whether what comes next is a head, and how much of it has come.
    _awaits_head, _head_bytes = True, 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        if len(self.connections) > limits.CONNECTIONS:
            transport.abort()
        else:
            self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait for the next head as soon as some of it is here, and no longer once all of it is."""
        if self._awaits_head:
            self._wait()
        super().data_received(data)
        if self._awaits_head:
            self._head_bytes += len(data)
            if self._head_bytes > limits.HEAD_BYTES and not self.transport.is_closing():
                self._refuse(431, f"the request's head has more than {limits.HEAD_BYTES:,} bytes")

    def on_message_begin(self) -> None:
        """Wait for a head whose beginning came with the end of the last body, too."""
        self._wait()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Wait no longer."""
        self._awaits_head, self._head_bytes = False, 0
        self._wait_no_longer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Expect the next head."""
        self._awaits_head = True
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, as JSON."""
        self._refuse(400, "this is no request of HTTP/1.1")

    def _wait(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(limits.HEAD_S, self._give_up)

    def _wait_no_longer(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self._refuse(408, f"the request's head took more than {limits.HEAD_S:g} s")

    def _refuse(self, status: int, message: str) -> None:
        """Answer, unless another answer is on its way, and close."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            body = json.dumps(document(status, message)).encode()
            head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
            self.transport.write(STATUS_LINE[status] + head.encode() + body)
        self.transport.close()
