"""Where a report goes, and how it is printed."""

import re
import shutil

import pytest

from toolkit import manifest
from toolkit.errors import ArtifactError, UsageError
from toolkit.report import write as writing
from toolkit.report.subject import Subject
from toolkit.report.write import write


@pytest.fixture
def subject(shipped, monkeypatch):
    monkeypatch.setattr(writing, "render", lambda subject: ("<!DOCTYPE html>", {"Training": "no run"}))
    return Subject(manifest.read(shipped), ())


@pytest.fixture
def browser(tmp_path, monkeypatch):
    """Put a program that is called chromium before all others; it does what the lines say."""

    def make(*lines):
        folder = tmp_path / "bin"
        folder.mkdir()
        program = folder / "chromium"
        program.write_text("\n".join(("#!/bin/sh", 'for a in "$@"; do last=$a; case $a in --print-to-pdf=*)', *lines)))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=":")
        return program

    return make


PRINTS = ('echo "%PDF $*" > "${a#--print-to-pdf=}";; esac; done',)


def test_a_page_is_written_and_says_what_it_lacks(subject, tmp_path):
    report = write(subject, tmp_path / "new" / "page.html")
    assert report.path.read_text() == "<!DOCTYPE html>"
    said = {"report": str(tmp_path / "new" / "page.html"), "pdf": None, "absent": {"Training": "no run"}}
    assert report.to_json() == said


def test_a_page_is_printed_by_chromium(subject, tmp_path, browser):
    browser(*PRINTS)
    report = write(subject, tmp_path / "page.html", pdf=True)
    assert report.pdf == tmp_path / "page.pdf"
    said = report.pdf.read_text()
    assert said.startswith("%PDF --headless")
    assert f"{(tmp_path / 'page.html').as_uri()}\n" in said


def test_a_browser_that_prints_nothing_says_why(subject, tmp_path, browser):
    browser("echo no fonts here >&2;; esac; done")
    with pytest.raises(ArtifactError, match=r"page\.html: .*chromium did not print it: no fonts here"):
        write(subject, tmp_path / "page.html", pdf=True)
    assert sorted(path.name for path in tmp_path.glob("*page*")) == ["page.html"]


def test_a_browser_that_never_ends_is_ended(subject, tmp_path, browser, monkeypatch):
    monkeypatch.setattr(writing, "PATIENCE_S", 0.2)
    browser("exec sleep 60;; esac; done")
    with pytest.raises(ArtifactError, match="did not print it within 0 s"):
        write(subject, tmp_path / "page.html", pdf=True)


@pytest.mark.slow
@pytest.mark.skipif(not any(map(shutil.which, writing.BROWSERS)), reason="there is no Chromium")
def test_the_chromium_of_this_machine_prints_a_page_and_leaves_nothing(shipped, tmp_path, monkeypatch):
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    report = write(Subject(manifest.read(shipped), ()), tmp_path / "page.html", pdf=True)
    content = report.pdf.read_bytes()
    assert content.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) >= 3
    assert [path for path in (tmp_path / "home").rglob("*") if path.is_file()] == []


def test_without_chromium_nothing_is_written(subject, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(UsageError, match=r"Chromium, which is not installed \(chromium, .*leave out --pdf"):
        write(subject, tmp_path / "page.html", pdf=True)
    assert not (tmp_path / "page.html").exists()
