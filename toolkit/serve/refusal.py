"""What is answered instead of a prediction: a status of HTTP and one sentence, as JSON."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import JSONResponse

from toolkit.text import printable


class RefusedError(Exception):
    """A request that gets no prediction. closing: whether the connection ends, as where the body was not read."""

    def __init__(self, status: int, message: str, *, closing: bool = False, headers: Mapping[str, str] | None = None):
        super().__init__(message)
        self.status = status
        self.headers = {**(headers or {}), **({"Connection": "close"} if closing else {})}

    @property
    def response(self) -> JSONResponse:
        """What the client gets."""
        return JSONResponse(document(self.status, str(self)), self.status, self.headers)


def document(status: int, message: str) -> dict[str, object]:
    """Return the JSON document of an error."""
    return {"error": {"status": status, "reason": HTTPStatus(status).phrase, "message": printable(message)}}
