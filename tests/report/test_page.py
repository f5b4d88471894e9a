"""The page as a whole: nothing of a file acts in it, it loads nothing, and it says what it lacks."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from toolkit import manifest
from toolkit.files.names import FileName
from toolkit.parity import card
from toolkit.report import sections
from toolkit.report.page import render
from toolkit.report.subject import Subject

EVIL = "<script>alert(1)</script>\"'&\u202e\x1b"
VOID = ("br", "img", "meta")
# Of the elements that a page needs, none runs or loads anything.
HARMLESS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "nav", "a", "section", "p", "span", "div"),
    *("table", "thead", "tbody", "tfoot", "tr", "th", "td", "dl", "dt", "dd", "ul", "li", "br", "figure", "figcaption"),
    *("code", "img", "footer", "svg", "g", "line", "rect", "circle", "polygon", "polyline", "path", "text"),
}


class Reader(HTMLParser):
    """Reads a page: which elements it has, that all are closed, and where they lead."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.links, self.texts = [], set(), [], []

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.links += [value for name, value in attrs if name in ("href", "src", "xlink:href", "data", "action")]
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture
def evil(shipped, benchmark, tmp_path):
    """An export whose every text wants to be an element."""
    record = benchmark(tmp_path / "one")
    found = manifest.read(shipped)
    names = tuple(f"{EVIL}{number}" for number in range(10))
    recipe = replace(found.recipe, activation=EVIL)
    model = FileName("<b onclick=alert(1)>\"'&")
    replace(found, model=model, data=replace(found.data, classes=names, name=EVIL), recipe=recipe, created=EVIL).write()
    record.failures[EVIL] = EVIL
    record.versions[EVIL] = EVIL
    return Subject(manifest.read(shipped), (), record)


def test_no_text_of_a_file_is_an_element(evil):
    reader = read(render(evil)[0])
    assert reader.seen <= HARMLESS
    assert not [c for text in reader.texts for c in text if not c.isprintable() and c != "\n"]
    assert any("<script>alert(1)</script>" in text for text in reader.texts)  # as a text


def test_a_page_leads_nowhere_and_loads_nothing(evil):
    page, _ = render(evil)
    links = read(page).links
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in links)
    assert not re.findall(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", page)
    assert "default-src &#x27;none&#x27;; style-src &#x27;unsafe-inline&#x27;; img-src data:" in page


def test_a_page_has_every_section_or_a_line_why_not(shipped):
    page, absent = render(Subject(manifest.read(shipped), ()))
    modules = sections.in_order()
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings == [module.TITLE for module in modules]
    lacking = {"What to ship", "Training", "How fast is it?", "Accuracy, latency and size", "What it computes"}
    assert set(absent) - {"Changes of class"} == lacking  # there are images if there is MNIST
    assert page.count('class="absent"') == len(absent)
    assert '<p class="absent">no benchmark of these files was given or found' in page
    anchors = set(re.findall(r'<section id="(\w+)"', page))
    assert set(re.findall(r'href="#(\w+)"', page)) == anchors


def test_a_page_names_the_commands_that_compute_its_figures_again(shipped, benchmark, tmp_path):
    page, _ = render(Subject(manifest.read(shipped), (), benchmark(tmp_path / "one")))
    for command in ("toolkit record check mlp", "toolkit record check one", "toolkit show mlp/"):
        assert f"<code>{command}" in page


def test_what_a_model_has_learned_from_is_said_of_one_that_was_trained_here_alone(shipped):
    found = manifest.read(shipped)
    assert "<h1>mlp, trained on mnist</h1>" in render(Subject(found, ()))[0]
    found = replace(found, source=replace(found.source, run=None))
    assert "<h1>mlp, exported with mnist</h1>" in render(Subject(found, ()))[0]
    assert card.body(found).startswith("# mlp, exported with mnist\n")


def test_its_colours_follow_light_dark_and_paper(shipped):
    page, _ = render(Subject(manifest.read(shipped), ()))
    assert "@media (prefers-color-scheme: dark)" in page
    assert page.count("@media print") == 2
    colours = re.findall(r"#[0-9a-fA-F]{6}", re.sub(r"<style>.*?</style>", "", page, flags=re.S))
    assert colours == []
