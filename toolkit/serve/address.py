"""Where the server listens, and the link that leads there."""

import errno
import ipaddress
import re
import secrets
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from toolkit.errors import UsageError
from toolkit.serve import qr

# A token that was made has this many random bytes, and a given one at least so many characters, all of which may stand
# in a link (RFC 3986, unreserved).
TOKEN_BYTES = 24
TOKEN = re.compile(r"[A-Za-z0-9._~-]{16,200}")
# An address that no machine has (RFC 5737): which of its own this machine would reach others from. Nothing is sent.
ELSEWHERE = ("192.0.2.1", 9)
BACKLOG = 128


@dataclass(frozen=True)
class Address:
    """A socket that listens. token: what a request must have; None if only this machine can ask."""

    listening: socket.socket
    token: str | None

    @property
    def port(self) -> int:
        """The port, also where the system has chosen it."""
        return int(self.listening.getsockname()[1])

    @property
    def host(self) -> str:
        """The address that other programs can reach it by."""
        host = str(self.listening.getsockname()[0])
        return own_address() if ipaddress.ip_address(host).is_unspecified else host

    @property
    def link(self) -> str:
        """The page's link, with the token."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/" + ("" if self.token is None else f"?token={self.token}")

    @property
    def code(self) -> list[str]:
        """The link as the lines of a QR code."""
        return qr.draw(self.link)


def bind(host: str, port: int, token: str | None) -> Address:
    """Listen at a host and port, 0 for any that is free; UsageError if that cannot be.

    token: None has one made wherever other machines can ask.
    """
    if not 0 <= port <= 65535:
        raise UsageError(f"the port is {port}; allowed: 1 to 65535, or 0 for any that is free")
    if token is not None and not TOKEN.fullmatch(token):
        raise UsageError("the token must be 16 to 200 letters, digits, '.', '_', '~' or '-', or be left out")
    try:
        family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        address = str(place[0])
        if token is None and not ipaddress.ip_address(address).is_loopback:
            token = secrets.token_urlsafe(TOKEN_BYTES)
        return Address(socket.create_server((address, port), family=family, backlog=BACKLOG), token)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that cannot be one of a host
        raise UsageError(f"{host}:{port}: {_reason(error)}") from error


def is_local(host: str) -> bool:
    """Say whether a request's Host header names this machine: localhost, or an address that is never another's.

    Any other name may be one that somebody lets point here, so that a page of theirs can ask (DNS rebinding).
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def own_address() -> str:
    """Return the address that this machine has for others, or its name where it is in no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(ELSEWHERE)
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])


def _reason(error: OSError | UnicodeError) -> str:
    if isinstance(error, socket.gaierror | UnicodeError):
        return "no such host; give an address of this machine, such as 127.0.0.1 or 0.0.0.0"
    if error.errno == errno.EADDRINUSE:
        return "another program listens there; give another --port, or 0 for any that is free"
    if error.errno == errno.EACCES:
        return "this user may not listen there; give a --port of 1024 or more"
    if error.errno == errno.EADDRNOTAVAIL:
        return "no address of this machine; give one, such as 127.0.0.1 or 0.0.0.0"
    return error.strerror or str(error)
