"""Compose files, read as they stand into a plan of what to run here.

Sans-IO but for reading files: nothing is started, bound or asked. `read_plan` gives a `Plan`, or raises `ComposeError`
with every fault at once, each with its line and its fix.
"""

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
