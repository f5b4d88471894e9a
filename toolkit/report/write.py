"""Write the report of an export, and print it to a PDF."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import locks, programs
from toolkit.errors import ArtifactError, UsageError
from toolkit.files import atomic, write_text
from toolkit.report.page import render
from toolkit.report.subject import Subject

# What Chromium is called, and how long it may take for a page.
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Report:
    """A report that was written. pdf: its print, None if that was not asked for. absent: what it lacks, and why."""

    path: Path
    pdf: Path | None
    absent: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return what ``toolkit report --json`` says of it."""
        return {"report": str(self.path), "pdf": str(self.pdf) if self.pdf else None, "absent": self.absent}


def write(subject: Subject, output: Path, *, pdf: bool = False) -> Report:
    """Write the report of an export into ``output``. pdf: also print it into a file beside it.

    Raises UsageError if there is no Chromium to print with.
    """
    browser = _browser() if pdf else None
    html, absent = render(subject)
    write_text(output, html)
    return Report(output, _print(browser, output) if browser else None, absent)


def _browser() -> str:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        names = ", ".join(BROWSERS)
        raise UsageError(f"a PDF is printed by Chromium, which is not installed ({names}); leave out --pdf")
    return browser


def _print(browser: str, page: Path) -> Path:
    pdf = page.with_suffix(".pdf")
    with atomic(pdf) as temporary, locks.scratch() as own:
        command = [browser, "--headless", "--disable-gpu", "--no-pdf-header-footer", f"--print-to-pdf={temporary}"]
        # Chromium's sandbox does not start for root; the page has no script and loads nothing.
        command += ["--no-sandbox"] if os.geteuid() == 0 else []
        command += [page.resolve().as_uri()]
        # Chromium leaves a profile with each call, in folders that it takes from the environment; killed, a socket too.
        folders = dict.fromkeys(("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TMPDIR"), str(own))
        ended = programs.run(command, seconds=PATIENCE_S, variables={**os.environ, **folders})
        if ended.code is None:
            raise ArtifactError(f"{page}: {browser} did not print it within {PATIENCE_S:.0f} s")
        if not temporary.is_file() or not temporary.stat().st_size:
            said = ended.errors.strip().splitlines()
            raise ArtifactError(f"{page}: {browser} did not print it: {said[-1] if said else 'no message'}")
    return pdf
