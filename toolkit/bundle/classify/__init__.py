"""The ``classify.py`` of a bundle: one module a runtime with its ``predict``, which takes the place of the base's."""

import inspect

from toolkit import registry
from toolkit.bench import settings
from toolkit.bundle.classify import base


def script(runtime: str, rows: str | None = None, setting: str | None = None) -> str:
    """Return the program for a runtime; UsageError if there is none.

    rows: the member of ``toolkit.bundle.rows`` that reads files of values; None for images. setting: of the runtime,
    which the program then takes.
    """
    member = registry.member(__name__, runtime, kind="runtime of a bundle")
    predict = inspect.getsource(member.predict)
    if setting is not None:
        predict = member.with_setting(predict, settings.get(runtime, setting).line)
    text = inspect.getsource(base).replace(inspect.getsource(base.predict), predict)
    if rows is None:
        return text
    reader = registry.member("toolkit.bundle.rows", rows, kind="kind of rows")
    sources = map(inspect.getsource, reader.FUNCTIONS)
    return text.replace(inspect.getsource(base.read), "\n\n".join(sources))
