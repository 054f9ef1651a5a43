"""Membership: the worker's place in its group, by Connect's protocol. The only importer of `kafka.coordinator`.

Thread rule: one thread drives the group client and owns the connection, the generation and what this member holds.
The herder hands it a `Snapshot` and asks to join again; it hands the herder `Joined` and `Left`. Assigning, where this
member leads, is a pure function of the snapshot (`assignment.assign`).
Speaks JoinGroup up to version 7 and SyncGroup up to 5, as the library does.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kafka.coordinator.base import BaseCoordinator
from kafka.net.compat import KafkaNetClient

from headrace.connect.client.sockets import mend_sockets
from headrace.connect.runtime import assignment
from headrace.connect.runtime.assignment import Assignment, Snapshot, WorkerState
from headrace.connect.runtime.messages import TaskId
from kafka import errors

log = logging.getLogger(__name__)

POLL_MS: Final = 500
RETRY_S: Final = 1.0
BOOTSTRAP_MS: Final = 5_000

mend_sockets()


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """How to join; `client` are the group client's own settings (security and the like)."""

    bootstrap: str
    group_id: str
    url: str
    client_id: str
    protocol: str = "sessioned"
    session_timeout_ms: int = 10_000
    heartbeat_interval_ms: int = 3_000
    rebalance_timeout_ms: int = 60_000
    client: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Joined:
    """A round is over: `held` is all that this worker runs from now on, `revoked` what it must stop and give back."""

    generation: int
    leads: bool
    held: Assignment
    revoked: tuple[TaskId, ...] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """The group is out of reach; work goes on meanwhile, since nobody else was given it."""

    reason: str


Listener = Callable[[Joined | Left], None]


class _Coordinator(BaseCoordinator):  # type: ignore[misc]
    """The group client, told what Connect puts into its frames."""

    def __init__(self, client: KafkaNetClient, settings: GroupSettings, snapshot: Callable[[], Snapshot]) -> None:
        super().__init__(
            client,
            group_id=settings.group_id,
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=settings.heartbeat_interval_ms,
            max_poll_interval_ms=settings.rebalance_timeout_ms,
            api_version=client.get_broker_version(),
        )
        self._url = settings.url
        self._versions = assignment.OFFERED[settings.protocol]
        self._snapshot = snapshot
        self.held: Assignment | None = None
        self.joined: Joined | None = None

    def protocol_type(self) -> str:
        return assignment.PROTOCOL_TYPE

    def group_protocols(self) -> list[tuple[str, bytes]]:
        state = WorkerState(self._url, self._snapshot().config_offset, self.held)
        return [(assignment.NAMES[version], state.encode(version)) for version in self._versions]

    def _perform_assignment(self, leader_id: str, protocol: str, members: list[Any]) -> dict[str, bytes]:
        states = {member.member_id: WorkerState.decode(bytes(member.metadata)) for member in members}
        given = assignment.assign(assignment.VERSIONS[protocol], leader_id, states, self._snapshot())
        return {member: each.encode() for member, each in given.items()}

    async def _on_join_prepare_async(self, generation: int, member_id: str, timeout_ms: float | None = None) -> None:
        return

    async def _on_join_complete_async(self, generation: int, member_id: str, protocol: str, data: bytes) -> None:
        delta = Assignment.decode(bytes(data))
        self.held = assignment.merged(self.held, delta)
        self.joined = Joined(generation, delta.leader == member_id, self.held, delta.revoked)


class Membership:
    """This worker's place in the group. `start` once, `stop` once; `update` as often as the herder likes."""

    def __init__(self, settings: GroupSettings, listener: Listener) -> None:
        self._settings = settings
        self._listener = listener
        self._snapshot = Snapshot(-1, {})
        self._rejoin = threading.Event()
        self._stopping = threading.Event()
        self._client: KafkaNetClient | None = None
        self._thread = threading.Thread(target=self._run, name="membership", daemon=True)

    def start(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._thread.start()

    def update(self, snapshot: Snapshot, *, rejoin: bool) -> None:
        """Note what the herder knows now; called by the herder. With `rejoin` the group is joined anew."""
        self._snapshot = snapshot
        if rejoin:
            self._rejoin.set()
            self._wake()

    def stop(self, deadline_s: float) -> None:
        """Leave the group; returns at the latest at the deadline (invariant 6)."""
        self._stopping.set()
        self._wake()
        if self._thread.is_alive():
            self._thread.join(deadline_s)

    def _wake(self) -> None:
        client = self._client
        if client is not None:
            client.wakeup()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._member()
            except errors.KafkaError as error:
                log.warning("The group %s is out of reach: %r", self._settings.group_id, error)
                self._listener(Left(f"{type(error).__name__}: {error}"))
            except Exception:
                log.exception("The membership in group %s failed; it is taken up again", self._settings.group_id)
            self._stopping.wait(RETRY_S)

    def _member(self) -> None:
        """Join, and stay in the group until the stop. Raises KafkaError where that cannot go on."""
        settings = self._settings
        client = KafkaNetClient(
            bootstrap_servers=settings.bootstrap,
            client_id=settings.client_id,
            **{"reconnect_backoff_max_ms": 1_000, **settings.client},
        )
        try:
            client._manager.bootstrap(BOOTSTRAP_MS)
            coordinator = _Coordinator(client, settings, lambda: self._snapshot)
            self._client = client
            try:
                while not self._stopping.is_set():
                    self._turn(client, coordinator)
            finally:
                coordinator.close(timeout_ms=1_000)
        finally:
            self._client = None
            client.close()

    def _turn(self, client: KafkaNetClient, coordinator: _Coordinator) -> None:
        if self._rejoin.is_set() and not coordinator.rejoining:
            self._rejoin.clear()
            coordinator.request_rejoin()
        coordinator.ensure_active_group(timeout_ms=POLL_MS)
        if coordinator.joined is not None:
            joined, coordinator.joined = coordinator.joined, None
            self._listener(joined)
        coordinator.poll_heartbeat()
        if not self._rejoin.is_set() and not coordinator.need_rejoin():
            client.poll(timeout_ms=POLL_MS)
