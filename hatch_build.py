"""What hatchling does beside building: refuse a system without runtimes, and put the tested versions into the wheel."""

import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Hook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs before each build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """End the build where toolkit cannot run an artifact; give a wheel the file that ``toolkit.constraints`` reads.

        pip builds before it looks for the packages of an extra: without this it would say that it finds none of them.
        An editable install reads the file of the checkout.
        """
        sys.path.insert(0, self.root)
        from toolkit.host import unsupported

        if reason := unsupported():
            sys.exit(f"toolkit cannot be installed: {reason}")
        if self.target_name == "wheel" and version == "standard":
            build_data["force_include"]["constraints.txt"] = "toolkit/constraints.txt"
