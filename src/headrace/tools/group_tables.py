"""The tables that `kafka-consumer-groups` prints, in Kafka's columns and widths. Sans-IO."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

NONE = "-"
Partition = tuple[str, int]

STATES = {
    "UNKNOWN": "Unknown",
    "PREPARING_REBALANCING": "PreparingRebalance",
    "COMPLETING_REBALANCING": "CompletingRebalance",
    "STABLE": "Stable",
    "DEAD": "Dead",
    "EMPTY": "Empty",
}
REBALANCING = ("PreparingRebalance", "CompletingRebalance", "Assigning", "Reconciling")


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a group, with what it was given; `target` is None where there is no such thing."""

    id: str
    instance: str
    host: str
    client: str
    partitions: tuple[Partition, ...]
    target: tuple[Partition, ...] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A group as its coordinator describes it."""

    name: str
    state: str
    assignor: str
    coordinator: str
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class Offset:
    """What a group has committed for a partition, and the end of the partition's log."""

    committed: int | None = None
    leader_epoch: int | None = None
    end: int | None = None

    @property
    def lag(self) -> int | None:
        return None if self.committed is None or self.end is None else self.end - self.committed


@dataclass(slots=True)
class Table:
    """Rows below a header; a column is at least as wide as its number says and as its widest value where it `grows`."""

    header: Sequence[str]
    widths: Sequence[int]
    grows: frozenset[int]
    rows: list[Sequence[str]] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The header and the rows, each column padded, the last one where it has a width."""
        widths = [
            max([width, *(len(row[column]) for row in self.rows)]) if column in self.grows else width
            for column, width in enumerate(self.widths)
        ]
        return [
            " ".join(f"{cell:{w}}" if w else cell for cell, w in zip(row, widths, strict=True)) for row in self._all()
        ]

    def _all(self) -> Iterable[Sequence[str]]:
        return [self.header, *self.rows]


def offsets_table(group: Group, offsets: dict[Partition, Offset], verbose: bool) -> list[str]:
    """A row for each partition that a member has, then for each that only has an offset."""
    header = [
        "GROUP",
        "TOPIC",
        "PARTITION",
        "CURRENT-OFFSET",
        "LOG-END-OFFSET",
        "LAG",
        "CONSUMER-ID",
        "HOST",
        "CLIENT-ID",
    ]
    widths = [15, 15, 10, 15, 15, 15, 15, 15, 0]
    grows = {0, 1, 6, 7}
    if verbose:
        header.insert(3, "LEADER-EPOCH")
        widths.insert(3, 15)
        grows = {0, 1, 7, 8}
    table = Table(header, widths, frozenset(grows))
    for owner, partition in _owned(group, offsets):
        offset = offsets.get(partition, Offset())
        row = [
            group.name,
            partition[0],
            str(partition[1]),
            *map(_number, (offset.committed, offset.end, offset.lag)),
            *owner,
        ]
        if verbose:
            row.insert(3, _number(offset.leader_epoch))
        table.rows.append(row)
    return table.lines() if table.rows else []


def _owned(group: Group, offsets: dict[Partition, Offset]) -> Iterable[tuple[tuple[str, str, str], Partition]]:
    members = sorted(group.members, key=lambda member: -len(member.partitions))
    for member in members:
        for partition in sorted(member.partitions):
            yield (member.id, member.host, member.client), partition
    taken = {partition for member in members for partition in member.partitions}
    for partition in sorted(offsets):
        if partition not in taken and offsets[partition].committed is not None:
            yield (NONE, NONE, NONE), partition


def members_table(group: Group, verbose: bool) -> list[str]:
    """A row for each member. Epochs are not in what librdkafka asks for: there is a dash."""
    static = any(member.instance for member in group.members)
    header = ["GROUP", "CONSUMER-ID", *(["GROUP-INSTANCE-ID"] if static else []), "HOST", "CLIENT-ID", "#PARTITIONS"]
    widths = [15, 15, *([17] if static else []), 15, 15, 15]
    grows = set(range(len(header) - 1))
    if verbose:
        grows |= {len(header) + 1, len(header) + 3}
        header += ["CURRENT-EPOCH", "CURRENT-ASSIGNMENT", "TARGET-EPOCH", "TARGET-ASSIGNMENT"]
        widths += [15, 20, 15, 20]
    table = Table(header, widths, frozenset(grows))
    for member in group.members:
        row = [group.name, member.id, *([member.instance] if static else []), member.host, member.client]
        row.append(str(len(member.partitions)))
        if verbose:
            row += [NONE, _assignment(member.partitions), NONE, _assignment(member.target)]
        table.rows.append(row)
    return [line if verbose else f"{line} " for line in table.lines()]


def state_table(group: Group, verbose: bool) -> list[str]:
    """One row."""
    header = ["GROUP", "COORDINATOR (ID)", "ASSIGNMENT-STRATEGY", "STATE", "#MEMBERS"]
    widths = [15, 25, 20, 20, 0]
    row = [group.name, group.coordinator, group.assignor or NONE, group.state, str(len(group.members))]
    if verbose:
        header[4:4] = ["GROUP-EPOCH", "TARGET-ASSIGNMENT-EPOCH"]
        widths[4:4] = [15, 25]
        row[4:4] = [NONE, NONE]
    return Table(header, widths, frozenset({0, 1}), [row]).lines()


def reset_table(plan: dict[str, dict[Partition, int]]) -> list[str]:
    """The offsets that groups get."""
    table = Table(["GROUP", "TOPIC", "PARTITION", "NEW-OFFSET"], [15, 15, 10, 0], frozenset({0, 1}))
    for group, offsets in plan.items():
        table.rows += [[group, topic, str(number), str(offset)] for (topic, number), offset in sorted(offsets.items())]
    return table.lines() if plan else []


def deletion_table(results: dict[Partition, str]) -> list[str]:
    """What became of the offsets; a partition below 0 is one that is not known."""
    table = Table(["TOPIC", "PARTITION", "STATUS"], [15, 10, 15], frozenset({0}))
    for (topic, number), status in sorted(results.items()):
        table.rows.append([topic, NONE if number < 0 else str(number), status])
    return table.lines()


def listing(groups: Sequence[tuple[str, str, str]], with_type: bool, with_state: bool) -> list[str]:
    """Names, types and states; the column of names has ten blanks more than the longest."""
    longest = max([15, *(len(name) for name, _, _ in groups)]) + 10
    picked = [0, *([1] if with_type else []), *([2] if with_state else [])]
    widths = [longest, 20, 20]
    rows = [("GROUP", "TYPE", "STATE"), *groups]
    return [" ".join(f"{row[column]:{widths[column]}}" for column in picked) for row in rows]


def _assignment(partitions: tuple[Partition, ...] | None) -> str:
    """`topic:0,1;other:0`."""
    topics: dict[str, list[str]] = {}
    for topic, number in sorted(partitions or ()):
        topics.setdefault(topic, []).append(str(number))
    return ";".join(f"{topic}:{','.join(numbers)}" for topic, numbers in topics.items()) or NONE


def _number(value: int | None) -> str:
    return NONE if value is None else str(value)
