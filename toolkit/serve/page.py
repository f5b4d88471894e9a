"""The page: one file, which a browser can show without asking anybody else."""

import base64
import functools
import hashlib
import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

FILE = Path(__file__).with_name("page.html")


@functools.cache
def load() -> tuple[str, str]:
    """Return the page, and the policy that keeps it from loading or running anything that is not in it."""
    text = FILE.read_text(encoding="utf-8")
    hashes = {tag: _hash(re.search(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)) for tag in ("script", "style")}
    policy = (
        f"default-src 'none'; script-src {hashes['script']}; style-src {hashes['style']}; connect-src 'self'; "
        "img-src data: blob:; media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return text, policy


def _hash(match: re.Match[str] | None) -> str:
    """Return the source of Content Security Policy Level 3 for a part that stands in the page."""
    digest = hashlib.sha256((match[1] if match else "").encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


async def show(request: Request) -> Response:
    """Answer with the page."""
    text, policy = load()
    return HTMLResponse(text, headers={"Content-Security-Policy": policy})
