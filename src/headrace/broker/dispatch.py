"""The table of APIs: one file per API key in `handlers/` (and `groups/handlers/`), each registered by `@api`.

    @api(HEARTBEAT, versions=(0, 4))
    def handle(request: Message, context: Context, state: State) -> Outcome: ...

A handler is a plain function on the broker's one loop. It reads no clock (`context.now_ms`, `state.timers`), waits for
nothing (it returns a `Later`), and answers errors as error codes in its reply. ApiVersions is derived from this table;
a version outside the range is refused before anything is decoded.
"""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from headrace.broker.outcome import Outcome
from headrace.wire.codec import decode_request
from headrace.wire.frame import RequestHeader

if TYPE_CHECKING:
    from headrace.broker.state import State

PRODUCE: Final = 0
FETCH: Final = 1
LIST_OFFSETS: Final = 2
METADATA: Final = 3
OFFSET_COMMIT: Final = 8
OFFSET_FETCH: Final = 9
FIND_COORDINATOR: Final = 10
JOIN_GROUP: Final = 11
HEARTBEAT: Final = 12
LEAVE_GROUP: Final = 13
SYNC_GROUP: Final = 14
DESCRIBE_GROUPS: Final = 15
LIST_GROUPS: Final = 16
API_VERSIONS: Final = 18
CREATE_TOPICS: Final = 19
DELETE_TOPICS: Final = 20
DELETE_RECORDS: Final = 21
INIT_PRODUCER_ID: Final = 22
OFFSET_FOR_LEADER_EPOCH: Final = 23
DESCRIBE_CONFIGS: Final = 32
ALTER_CONFIGS: Final = 33
DESCRIBE_LOG_DIRS: Final = 35
CREATE_PARTITIONS: Final = 37
DELETE_GROUPS: Final = 42
INCREMENTAL_ALTER_CONFIGS: Final = 44
OFFSET_DELETE: Final = 47
DESCRIBE_CLUSTER: Final = 60
DESCRIBE_TOPIC_PARTITIONS: Final = 75

_HANDLER_PACKAGES: Final = ("handlers", "groups.handlers")


@dataclass(frozen=True, slots=True)
class Context:
    """Who asks, and when: `now_ms` is the wall clock in Unix milliseconds, `connection_id` is never used twice."""

    api_version: int
    correlation_id: int
    client_id: str | None
    client_host: str
    listener: str
    connection_id: int
    now_ms: int


Handle: TypeAlias = "Callable[[Any, Context, State], Outcome]"
Decode: TypeAlias = Callable[[RequestHeader, memoryview], Any]


@dataclass(frozen=True, slots=True)
class Handler:
    """One API key as this broker speaks it. `reported_low` is what ApiVersions says, where it differs from `low`."""

    key: int
    name: str
    low: int
    high: int
    reported_low: int
    decode: Decode
    handle: Handle
    documentation: str


HANDLERS: Final[dict[int, Handler]] = {}


def api(
    key: int, *, versions: tuple[int, int], reported_low: int | None = None, decode: Decode = decode_request
) -> "Callable[[Handle], Handle]":
    """Register the decorated function as the handler of `key` at `versions` (both ends included).

    `decode` replaces the codec where the request must not be copied (Produce's record sets).
    """

    def register(handle: Handle) -> Handle:
        if key in HANDLERS:
            raise ValueError(f"API key {key} has two handlers: {HANDLERS[key].name} and {handle.__module__}")
        low, high = versions
        documentation = sys.modules[handle.__module__].__doc__ or ""
        HANDLERS[key] = Handler(
            key,
            handle.__module__.rpartition(".")[2],
            low,
            high,
            low if reported_low is None else reported_low,
            decode,
            handle,
            documentation,
        )
        return handle

    return register


def discover() -> dict[int, Handler]:
    """Import every handler file; the table, by API key."""
    broker = Path(__file__).parent
    for package in _HANDLER_PACKAGES:
        for file in sorted(broker.joinpath(*package.split(".")).glob("[a-z]*.py")):
            importlib.import_module(f"headrace.broker.{package}.{file.stem}")
    return HANDLERS
