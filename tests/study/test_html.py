"""A page of a study or a search, on a phone."""

import pytest

from tests.serve.browser import CHROMIUM, NEEDS_BROWSER
from toolkit.study import markdown
from toolkit.study.claims.base import Table
from toolkit.study.html import render

pytestmark = NEEDS_BROWSER
LINES = "one => { const all = new Range(); all.selectNodeContents(one); return all.getClientRects().length; }"


def test_a_digest_is_broken_into_lines_and_a_figure_is_not(tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="pages are tried by playwright")
    figures = markdown.table(Table(("candidate", "size", "network"), (("final-001", "10.5 kB", "x" * 40),)))
    text = f"# The search\n\nRows of sha256 `{'0123456789abcdef' * 4}`.\n\n{figures}"
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        page.set_content(render(text, tmp_path))
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator("code").evaluate(LINES) > 1
        assert page.locator("td", has_text="10.5 kB").evaluate(LINES) == 1
        browser.close()
