"""What can be chosen of a runtime: one module a runtime, which has SETTINGS."""

from toolkit import registry
from toolkit.bench.settings.base import Setting


def for_runtime(runtime: str) -> tuple[Setting, ...]:
    """Return the settings of a runtime, none if it has no module here."""
    if runtime not in registry.names(__name__):
        return ()
    known: tuple[Setting, ...] = registry.member(__name__, runtime, kind="runtime with settings").SETTINGS
    return known


def get(runtime: str, name: str) -> Setting:
    """Return a setting of a runtime by its name."""
    return next(setting for setting in for_runtime(runtime) if setting.name == name)
