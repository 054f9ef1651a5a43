"""Connect's group protocol: what a worker says when it joins, what the leader assigns, and the assignment itself.

The bytes are those of Java's Connect: version 0 is `default` (eager: everything is assigned anew), 1 `compatible`
(KIP-415: assignments are deltas, and what a worker holds stands in its next JoinGroup) and 2 `sessioned` (KIP-507: as
1, with signed requests between workers). Sans-IO, pure: `assign` knows nothing but what it is given.

Not offered yet: the delay that leaves the work of a worker that went away to it for `scheduled.rebalance.max.delay.ms`,
should it come back. Its work goes to the others at once.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from headrace.connect.runtime.messages import TaskId

PROTOCOL_TYPE: Final = "connect"
EAGER, COMPATIBLE, SESSIONED = 0, 1, 2
NAMES: Final = {EAGER: "default", COMPATIBLE: "compatible", SESSIONED: "sessioned"}
VERSIONS: Final = {name: version for version, name in NAMES.items()}
OFFERED: Final = {
    "eager": (EAGER,),
    "compatible": (COMPATIBLE, EAGER),
    "sessioned": (SESSIONED, COMPATIBLE, EAGER),
}
"""Versions that are offered, the preferred first, by `connect.protocol`."""

NO_ERROR, CONFIG_MISMATCH = 0, 1


class Snapshot(NamedTuple):
    """What the herder knows when the group is joined: the tasks of every connector, up to an offset of the topic."""

    config_offset: int
    tasks: Mapping[str, int]

    def configured(self) -> list[TaskId]:
        """Every connector (as task -1) and then every task, in the order of Java's assignors."""
        connectors = sorted(self.tasks)
        work = [TaskId(connector, number) for connector in connectors for number in range(self.tasks[connector])]
        return [TaskId(connector, -1) for connector in connectors] + work


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the leader gives a worker: under version 0 all its work, under 1 and 2 what is new and what is taken."""

    version: int
    leader: str
    leader_url: str
    config_offset: int
    assigned: tuple[TaskId, ...] = ()
    revoked: tuple[TaskId, ...] = ()
    delay_ms: int = 0
    error: int = NO_ERROR

    def encode(self, version: int | None = None) -> bytes:
        """The bytes, in another version than its own where one is given."""
        version = self.version if version is None else version
        head = struct.pack(">hh", version, self.error) + _text(self.leader) + _text(self.leader_url)
        body = head + struct.pack(">q", self.config_offset) + _work(self.assigned)
        return body if version == EAGER else body + _work(self.revoked) + struct.pack(">i", self.delay_ms)

    @classmethod
    def decode(cls, data: bytes) -> "Assignment":
        """Read an assignment. Raises ValueError where the bytes end too early."""
        reader = _Reader(data)
        version, error = reader.unpack(">hh")
        leader, leader_url = reader.text(), reader.text()
        (config_offset,) = reader.unpack(">q")
        assigned = reader.work()
        revoked = reader.work() if version > EAGER else ()
        delay_ms = reader.unpack(">i")[0] if version > EAGER else 0
        return cls(version, leader, leader_url, config_offset, assigned, revoked, delay_ms, error)


@dataclass(frozen=True, slots=True)
class WorkerState:
    """What a worker says of itself when it joins; `held` is all the work it has, None before its first assignment."""

    url: str
    config_offset: int
    held: Assignment | None = None

    def encode(self, version: int) -> bytes:
        head = struct.pack(">h", version) + _text(self.url) + struct.pack(">q", self.config_offset)
        if version == EAGER:
            return head
        if self.held is None:
            return head + struct.pack(">i", -1)
        held = self.held.encode(version)
        return head + struct.pack(">i", len(held)) + held

    @classmethod
    def decode(cls, data: bytes) -> "WorkerState":
        """Read a worker's metadata. Raises ValueError where the bytes end too early."""
        reader = _Reader(data)
        (version,) = reader.unpack(">h")
        url = reader.text()
        (config_offset,) = reader.unpack(">q")
        if version == EAGER:
            return cls(url, config_offset)
        (length,) = reader.unpack(">i")
        return cls(url, config_offset, None if length < 0 else Assignment.decode(reader.take(length)))


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        part = self._data[self._at : self._at + size]
        if len(part) < size:
            raise ValueError(f"Connect's group protocol: {size} bytes expected at {self._at}, found {len(part)}")
        self._at += size
        return part

    def unpack(self, form: str) -> tuple[int, ...]:
        return struct.unpack(form, self.take(struct.calcsize(form)))

    def text(self) -> str:
        (length,) = self.unpack(">h")
        return self.take(length).decode()

    def work(self) -> tuple[TaskId, ...]:
        (connectors,) = self.unpack(">i")
        found: list[TaskId] = []
        for _ in range(connectors):
            connector = self.text()
            (tasks,) = self.unpack(">i")
            found += [TaskId(connector, self.unpack(">i")[0]) for _ in range(tasks)]
        return tuple(found)


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">h", len(data)) + data


def _work(ids: Iterable[TaskId]) -> bytes:
    by_connector: dict[str, list[int]] = {}
    for id in ids:
        by_connector.setdefault(id.connector, []).append(id.task)
    parts = [struct.pack(">i", len(by_connector))]
    for connector, tasks in by_connector.items():
        parts += [_text(connector), struct.pack(f">{1 + len(tasks)}i", len(tasks), *tasks)]
    return b"".join(parts)


# The leader's part.


def assign(version: int, leader: str, members: Mapping[str, WorkerState], snapshot: Snapshot) -> dict[str, Assignment]:
    """What each member gets, by member id.

    A leader whose snapshot is behind what a member has read assigns nothing: all read on, and join again.
    """
    offset = max(member.config_offset for member in members.values())
    blank = Assignment(version, leader, members[leader].url, offset)
    if snapshot.config_offset < offset:
        return dict.fromkeys(members, replace(blank, error=CONFIG_MISMATCH))
    blank = replace(blank, config_offset=snapshot.config_offset)
    if version == EAGER:
        return _assign_all(blank, sorted(members), snapshot.configured())
    held = {name: list(member.held.assigned) if member.held else [] for name, member in members.items()}
    return _assign_delta(blank, held, snapshot.configured())


def _assign_all(blank: Assignment, members: Sequence[str], work: Sequence[TaskId]) -> dict[str, Assignment]:
    """Deal out everything, one by one."""
    return {
        name: replace(blank, assigned=tuple(work[position :: len(members)])) for position, name in enumerate(members)
    }


@dataclass(slots=True)
class _Load:
    kept: list[TaskId]
    revoked: list[TaskId] = field(default_factory=list)
    new: list[TaskId] = field(default_factory=list)

    def count(self, connectors: bool) -> int:
        return sum((id.task < 0) is connectors for id in (*self.kept, *self.new))


def _assign_delta(blank: Assignment, held: Mapping[str, list[TaskId]], work: Sequence[TaskId]) -> dict[str, Assignment]:
    """Take what is deleted, held twice, or more than a fair share; give what nobody holds to those with least."""
    loads = {name: _Load([]) for name in sorted(held)}
    wanted, seen = set(work), set[TaskId]()
    for name, load in loads.items():
        for id in held[name]:
            (load.kept if id in wanted and id not in seen else load.revoked).append(id)
            seen.add(id)
    for id in work:
        if id not in seen:
            min(loads.values(), key=lambda load: load.count(id.task < 0)).new.append(id)
    for connectors in (True, False):
        _shed(loads.values(), connectors)
    return {name: replace(blank, assigned=tuple(load.new), revoked=tuple(load.revoked)) for name, load in loads.items()}


def _shed(loads: Iterable[_Load], connectors: bool) -> None:
    """Revoke what a worker holds beyond a fair share; once it has stopped, the next round gives it away."""
    everyone = list(loads)
    share = -(-sum(load.count(connectors) for load in everyone) // len(everyone))
    for load in everyone:
        while load.count(connectors) > share and any((id.task < 0) is connectors for id in load.kept):
            surplus = next(id for id in reversed(load.kept) if (id.task < 0) is connectors)
            load.kept.remove(surplus)
            load.revoked.append(surplus)


def merged(held: Assignment | None, delta: Assignment) -> Assignment:
    """What a worker holds after an assignment."""
    if delta.version == EAGER or held is None:
        return replace(delta, revoked=())
    kept = [id for id in held.assigned if id not in delta.revoked and id not in delta.assigned]
    return replace(delta, assigned=(*delta.assigned, *kept), revoked=())
