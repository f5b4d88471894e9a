"""Refusals that reach clients which are still sending: to close at once would reset the connection, answer and all."""

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toolkit.serve import limits

CLOSE = (b"connection", b"close")


class Linger:
    """Before an answer that closes its connection ends, receive and drop the rest of the request (RFC 9112, 9.6)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        is_closing, is_unread, is_open = False, True, False

        async def received() -> Message:
            nonlocal is_unread
            message = await receive()
            is_unread = message.get("more_body", False)
            return message

        async def sent(message: Message) -> None:
            nonlocal is_closing, is_open
            if message["type"] == "http.response.start":
                is_closing = CLOSE in message["headers"]
            elif is_closing and is_unread:
                message, is_open = {**message, "more_body": True}, True
            await send(message)

        await self._app(scope, received, sent)
        if is_open:
            with suppress(TimeoutError):
                async with asyncio.timeout(limits.LINGER_S):
                    while is_unread:
                        await received()
            await send({"type": "http.response.body"})
