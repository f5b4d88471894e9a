"""What the tests of the page in a browser share: what they need, and what a person does."""

import os
import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# A folder that keeps a picture of each step.
SCREENSHOTS = os.environ.get("SCREENSHOTS")
NEEDS_BROWSER = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH (Debian: apt install chromium)"),
]
SEVEN = ((0.3, 0.25), (0.7, 0.25), (0.45, 0.8))


def draw(page, *points):
    box = page.locator("#ink").bounding_box()
    (first, *others) = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*first)
    page.mouse.down()
    for point in others:
        page.mouse.move(*point, steps=6)
    page.mouse.up()


def reads(page, *classes):
    """Wait until the artifacts read this."""
    page.wait_for_function(
        "wanted => [...document.querySelectorAll('.class')].map(one => one.textContent).join() === wanted.join()",
        arg=list(classes),
    )
