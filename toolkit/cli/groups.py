"""Groups of options: a parameter of a verb whose type is a dataclass stands for an option of each of its fields.

So does the console that a verb prints to, for the options by which it is made.
"""

from collections.abc import Callable
from dataclasses import is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any

from toolkit.console import Console


def spread(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a verb as Typer takes it: the options of a group stand among the others, in the place of the group.

    The verb is given its groups, made of the values of their options. Two groups of a verb share no option.
    """
    groups: dict[str, list[str]] = {}
    options: list[Parameter] = []
    parameters = signature(command).parameters
    for name, parameter in parameters.items():
        own, kind = [parameter], parameter.annotation
        if isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, Console)):
            own = list(signature(kind).parameters.values())
            groups[name] = [option.name for option in own]
        options += own

    @wraps(command)
    def called(**values: Any) -> Any:
        made = {
            name: parameters[name].annotation(**{option: values.pop(option) for option in names})
            for name, names in groups.items()
        }
        return command(**values, **made)

    ordered = [option.replace(kind=Parameter.KEYWORD_ONLY) for option in options]
    called.__signature__ = Signature(ordered)  # type: ignore[attr-defined]
    return called
