"""The versions that this toolkit is tested with: ``constraints.txt``, of the checkout or inside the installed wheel."""

import re
from pathlib import Path

FILE = "constraints.txt"


def path() -> Path:
    """Return the file: a wheel carries it inside the package, a checkout has it beside the package."""
    package = Path(__file__).parent
    carried = package / FILE
    return carried if carried.is_file() else package.parent / FILE


def tested() -> dict[str, str]:
    """Return the tested version of each distribution, by its normalized name (PEP 503)."""
    lines = (line.partition("#")[0].partition("==") for line in path().read_text(encoding="utf-8").splitlines())
    return {normalized(name): pinned.strip() for name, _, pinned in lines if pinned}


def installed(distribution: str) -> str | None:
    """Return the version of an installed distribution; None if it is not installed."""
    from importlib.metadata import PackageNotFoundError, version  # here: it would count as a cold start of a benchmark

    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def requirement(distribution: str) -> str:
    """Return what to tell pip to install: the tested version, quoted for a shell."""
    pinned = tested().get(normalized(distribution))
    return f"'{distribution}=={pinned}'" if pinned else f"'{distribution}'"


def normalized(distribution: str) -> str:
    """Return the name by which all spellings of a distribution are one (PEP 503)."""
    return re.sub(r"[-_.]+", "-", distribution.strip()).lower()
