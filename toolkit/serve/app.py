"""The page and the API as an ASGI application."""

import asyncio
import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toolkit.serve import limits, openapi, page, predictor, uploads
from toolkit.serve.address import is_local
from toolkit.serve.engine import Engine
from toolkit.serve.linger import Linger
from toolkit.serve.metrics import CONTENT_TYPE, ServiceMetrics
from toolkit.serve.refusal import RefusedError

PREDICT, ARTIFACTS, HEALTH, METRICS, OPENAPI = "/v1/predict", "/v1/artifacts", "/healthz", "/metrics", "/openapi.json"
# Threads that read images: as many as a small machine can spare.
READERS = 2
AGAIN = {"Retry-After": "1"}
# The page is the only one that may use an answer, and an answer belongs in no cache.
HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


class Document(Response):
    """A JSON document, written in a tenth of the time that Starlette's own takes."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return its bytes."""
        return msgspec.json.encode(content)


class Service:
    """What the routes share."""

    def __init__(self, engines: Sequence[Engine], metrics: ServiceMetrics) -> None:
        self.engines, self.metrics = engines, metrics
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="reader")

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Run the engines."""
        running = [asyncio.create_task(engine.run()) for engine in self.engines]
        yield
        for task in running:
            task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def predict(self, request: Request) -> Response:
        """Classify the image of the body."""
        content = await uploads.read(request)  # a client that sends it slowly keeps nobody else waiting
        if self.metrics.working >= limits.REQUESTS:
            raise RefusedError(503, f"{limits.REQUESTS} requests are worked on; try again", headers=AGAIN)
        self.metrics.working += 1
        try:
            return Document(await predictor.predict(content, self.engines, self._threads))
        finally:
            self.metrics.working -= 1

    async def artifacts(self, request: Request) -> Response:
        """List the artifacts."""
        return Document({"schema": 1, "artifacts": [engine.to_json() for engine in self.engines]})

    async def health(self, request: Request) -> Response:
        """Say whether an artifact answers."""
        well = any(engine.is_open for engine in self.engines)
        return Document({"status": "ok" if well else "failing"}, 200 if well else 503)

    async def metrics_text(self, request: Request) -> Response:
        """Return the counts."""
        return PlainTextResponse(self.metrics.text(), media_type=CONTENT_TYPE)


class Guard:
    """Before everything else: count a request, and refuse a client that asks too often or has not the token.

    Without a token only this machine can ask, and only by a name that is its own.
    """

    def __init__(self, app: ASGIApp, *, token: str | None, metrics: ServiceMetrics) -> None:
        self._app, self._token, self._metrics = app, token, metrics
        self._rate = limits.Rate()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start_s, status = time.perf_counter(), 500

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        try:
            if refusal := self._refusal(Request(scope)):
                await refusal.response(scope, receive, counted)
            else:
                await self._app(scope, receive, counted)
        except asyncio.CancelledError:  # Ctrl-C: no answer has begun, for all are sent in one piece
            await RefusedError(503, "the server was ended", closing=True).response(scope, receive, counted)
        finally:
            route = scope["path"] if scope["path"] in ROUTES else "other"
            self._metrics.requested(route, status, time.perf_counter() - start_s)

    def _refusal(self, request: Request) -> RefusedError | None:
        client = request.client.host if request.client else ""
        if not self._rate.allows(client):
            return RefusedError(429, f"more than {limits.RATE:g} requests a second", closing=True, headers=AGAIN)
        if {"content-length", "transfer-encoding"} <= {*request.headers.keys()}:
            # Whoever passes requests on may have taken the other for its end (RFC 9112, section 6.3).
            return RefusedError(400, "the request has a Content-Length and a Transfer-Encoding; give one", closing=True)
        if self._token is None:
            return None if is_local(host := request.headers.get("host", "")) else _misdirected(host)
        if request.url.path == HEALTH or self._is_told(request, self._token):
            return None
        return RefusedError(
            401,
            "the token is missing or wrong; open the link that 'toolkit serve' has printed, or send it as a bearer",
            closing=True,
            headers={"WWW-Authenticate": "Bearer"},
        )

    @staticmethod
    def _is_told(request: Request, token: str) -> bool:
        """Compare in a time that says nothing of the token."""
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        given = bearer.strip() if scheme.lower() == "bearer" else request.query_params.get("token", "")
        return hmac.compare_digest(given.encode(errors="replace"), token.encode())


def _misdirected(host: str) -> RefusedError:
    named = f"'{host[:100]}'" if host else "no host"
    says = f"the request is for {named}; allowed: localhost and 127.0.0.1. 'toolkit serve --token' allows any name"
    return RefusedError(421, says, closing=True)


async def _refused(request: Request, error: Exception) -> Response:
    if isinstance(error, RefusedError):
        return error.response
    if isinstance(error, HTTPException):
        return RefusedError(error.status_code, _allowed(request, error), headers=error.headers).response
    return RefusedError(500, f"unexpected {type(error).__name__}; please report it", closing=True).response


def _allowed(request: Request, error: HTTPException) -> str:
    if error.status_code == 405:
        return f"{request.method} is not allowed there; allowed: {(error.headers or {}).get('Allow', '')}"
    return f"nothing is there; allowed: {', '.join(ROUTES)}"


def make(engines: Sequence[Engine], metrics: ServiceMetrics, *, token: str | None = None) -> ASGIApp:
    """Return the application; its lifespan runs the engines and ends them."""
    service = Service(engines, metrics)
    functions: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/": page.show,
        PREDICT: service.predict,
        ARTIFACTS: service.artifacts,
        HEALTH: service.health,
        METRICS: service.metrics_text,
        OPENAPI: openapi.show,
    }
    routes = [Route(path, one, methods=["POST" if path == PREDICT else "GET"]) for path, one in functions.items()]
    handlers: Any = dict.fromkeys((RefusedError, HTTPException, Exception), _refused)
    routed = Starlette(routes=routes, lifespan=service.lifespan, exception_handlers=handlers)
    return Linger(Guard(routed, token=token, metrics=metrics))


ROUTES = ("/", PREDICT, ARTIFACTS, HEALTH, METRICS, OPENAPI)
