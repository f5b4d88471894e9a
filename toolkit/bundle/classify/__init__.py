"""The ``classify.py`` of a bundle: one module a runtime with its ``predict``, which takes the place of the base's."""

import inspect

from toolkit import registry
from toolkit.bundle.classify import base


def script(runtime: str) -> str:
    """Return the program for a runtime; UsageError if there is none."""
    member = registry.member(__name__, runtime, kind="runtime of a bundle")
    return inspect.getsource(base).replace(inspect.getsource(base.predict), inspect.getsource(member.predict))
