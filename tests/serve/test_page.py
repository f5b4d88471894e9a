"""The page as a file: what it loads, and what keeps it from loading more. test_browser.py has what it does."""

import re

from toolkit.serve import page

# What a page can load by itself.
LOADS = re.compile(r"""(?:src|href|action|data)\s*=\s*["']?([^"'\s>]+)|url\(([^)]*)\)|@import\s+(\S+)|import\(""")


def test_the_page_loads_nothing():
    text, _ = page.load()
    loaded = [next(filter(None, found.groups()), "import") for found in LOADS.finditer(text)]
    assert loaded == ["data:,"]  # no icon, which a browser asks for otherwise
    assert "://" not in text


def test_the_policy_allows_what_is_in_the_page_and_no_more(client):
    answer = client.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", policy["script-src"])
    assert re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", policy["style-src"])
    text = answer.text
    assert (text.count("<script"), text.count("<style")) == (1, 1)
    assert not re.search(r"\s(?:style|on[a-z]+)=", text)
