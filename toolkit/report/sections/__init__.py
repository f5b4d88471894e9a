"""The sections of a report: one module each (``base.SectionModule``)."""

from typing import cast

from toolkit import registry
from toolkit.report.sections.base import SectionModule


def in_order() -> list[SectionModule]:
    """Return the sections in the order of the report."""
    modules = [registry.member(__name__, name, kind="section") for name in registry.names(__name__)]
    return sorted((cast("SectionModule", module) for module in modules), key=lambda module: module.ORDER)
