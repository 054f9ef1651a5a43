"""Compose files, read as they stand into a plan of what to run here.

Sans-IO but for reading files: nothing is started, bound or asked. `read_plan` gives a `Plan`, or raises `ComposeError`
with every fault at once, each with its line and its fix.
"""

from typing import TYPE_CHECKING

from headrace.compose.plan import (
    BrokerSettings,
    ComposeError,
    ConnectSettings,
    Fault,
    ListenerSetting,
    Note,
    Plan,
    PluginNote,
    PostgresSettings,
    PublishedPort,
    RegistrySettings,
    Service,
    ServiceKind,
    Volume,
)

if TYPE_CHECKING:
    from headrace.compose.reader import read_plan

__all__ = [
    "BrokerSettings",
    "ComposeError",
    "ConnectSettings",
    "Fault",
    "ListenerSetting",
    "Note",
    "Plan",
    "PluginNote",
    "PostgresSettings",
    "PublishedPort",
    "RegistrySettings",
    "Service",
    "ServiceKind",
    "Volume",
    "read_plan",
]


def __getattr__(name: str) -> object:
    """The reader is imported when it is asked for: who needs the plan's words alone starts without it."""
    if name != "read_plan":
        raise AttributeError(f"module {__name__} has no attribute {name}")
    from headrace.compose.reader import read_plan

    return read_plan
