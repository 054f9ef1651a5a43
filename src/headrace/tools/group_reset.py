"""`kafka-consumer-groups --reset-offsets`: from a scenario to the offsets that a group gets."""

import csv
import re
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from headrace.tools.command import UsageError
from headrace.tools.group_offsets import GroupOffsets
from headrace.tools.group_tables import Partition
from headrace.tools.options import Parsed

SCENARIOS = (
    "to-offset",
    "to-earliest",
    "to-latest",
    "shift-by",
    "to-datetime",
    "by-duration",
    "from-file",
    "to-current",
)
_DURATION = re.compile(
    r"([+-]?)P(?:([+-]?\d+)D)?(T(?:([+-]?\d+)H)?(?:([+-]?\d+)M)?(?:([+-]?\d+(?:[.,]\d{0,9})?)S)?)?", re.IGNORECASE
)

Plan = dict[Partition, int]


class Failure(Exception):
    """What Kafka's tool tells as the reason that a command failed, and ends with status 0."""


def plan(known: GroupOffsets, parsed: Parsed, group: str) -> Plan:
    """The offsets that the scenario on the command line gives `group`."""
    partitions = _scope(known, parsed, group)
    for scenario in SCENARIOS:
        if parsed.has(scenario):
            return _PLANS[scenario](known, parsed, group, partitions)
    names = ", ".join(f"[{name}]" for name in SCENARIOS)
    raise UsageError(f"Option '[reset-offsets]' requires one of the following scenarios: [{names}]")


def named_partitions(known: GroupOffsets, arguments: Iterable[str]) -> list[Partition]:
    """The partitions of arguments such as `topic` and `topic:0,1`."""
    found: list[Partition] = []
    for argument in arguments:
        found += explicit_partitions(argument) if ":" in argument else known.partitions(argument)
    return found


def explicit_partitions(argument: str) -> list[Partition]:
    """The partitions of `topic:0,1`."""
    parts = argument.split(":")
    if len(parts) != 2 or not parts[1]:
        raise UsageError(f"Invalid topic arg '{argument}', expected topic name and partitions")
    for number in parts[1].split(","):
        if not number.isdecimal():
            raise UsageError(f"Invalid partition '{number}' specified in topic arg '{argument}''")
    return [(parts[0], int(number)) for number in parts[1].split(",")]


def timestamp_ms(text: str) -> int:
    """Milliseconds since 1970 of an ISO 8601 date and time, in UTC where it names no zone.

    >>> timestamp_ms("1970-01-01T00:00:01.5")
    1500
    """
    if "T" not in text:
        raise Failure(
            "java.text.ParseException: Error parsing timestamp. It does not contain a 'T' according to ISO8601 format"
        )
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Failure(f'java.text.ParseException: Unparseable date: "{text}"') from None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def duration_ms(text: str) -> int:
    """Milliseconds of an ISO 8601 duration as Java's Duration reads it.

    >>> duration_ms("P1DT2H3M4.5S")
    93784500
    """
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.group(2, 4, 5, 6)) or match.group(3) in ("T", "t"):
        raise Failure("Text cannot be parsed to a Duration")
    days, hours, minutes = (int(part or 0) for part in match.group(2, 4, 5))
    seconds = float((match.group(6) or "0").replace(",", "."))
    whole = ((days * 24 + hours) * 60 + minutes) * 60_000 + round(seconds * 1000)
    return -whole if match.group(1) == "-" else whole


def read_plans(path: str, group: str | None) -> dict[str, Plan]:
    """The plans of a CSV file: `topic,partition,offset` for `group`, or `group,topic,partition,offset`."""
    try:
        rows = [row for row in csv.reader(Path(path).read_text(encoding="utf-8").splitlines()) if row]
    except OSError:
        raise Failure(f"java.io.IOException: Unable to read file {path}") from None
    plans: dict[str, Plan] = {}
    for number, row in enumerate(rows, start=1):
        name = row.pop(0) if len(row) == 4 else group
        if name is None or len(row) != 3 or not row[1].strip().isdecimal() or not row[2].strip().isdecimal():
            wanted = "group,topic,partition,offset" if group is None else "topic,partition,offset"
            raise Failure(f"line {number} of {path} is not of the form {wanted}")
        plans.setdefault(name, {})[row[0], int(row[1])] = int(row[2])
    return plans


def written_plans(plans: dict[str, Plan], one_group: bool) -> str:
    """The text that `read_plans` reads, which `--export` prints."""
    lines = []
    for group, offsets in plans.items():
        head = "" if one_group else f"{group},"
        lines += [f"{head}{topic},{number},{offset}\n" for (topic, number), offset in sorted(offsets.items())]
    return "".join(lines)


def _scope(known: GroupOffsets, parsed: Parsed, group: str) -> list[Partition]:
    if parsed.has("all-topics"):
        return sorted(known.committed(group))
    if parsed.has("topic"):
        return named_partitions(known, parsed.values("topic"))
    if not parsed.has("from-file"):
        raise UsageError("One of the reset scopes should be defined: --all-topics, --topic.")
    return []


def _in_range(known: GroupOffsets, wanted: Plan) -> Plan:
    """`wanted`, with what lies outside of a log moved to its end or its start."""
    starts, ends = known.starts(wanted), known.ends(wanted)
    result = {}
    for partition, offset in wanted.items():
        start, end = starts[partition], ends[partition]
        result[partition] = min(max(offset, start), end)
        if result[partition] != offset:
            than = "higher than latest" if offset > end else "lower than earliest"
            print(
                f"WARN New offset ({offset}) is {than} offset for topic partition {partition[0]}-{partition[1]}. "
                f"Value will be set to {result[partition]}",
                file=sys.stderr,
            )
    return result


def _to_offset(known: GroupOffsets, parsed: Parsed, group: str, partitions: list[Partition]) -> Plan:
    offset = parsed.number("to-offset") or 0
    return _in_range(known, dict.fromkeys(partitions, offset))


def _shift_by(known: GroupOffsets, parsed: Parsed, group: str, partitions: list[Partition]) -> Plan:
    shift, committed = parsed.number("shift-by") or 0, known.committed(group)
    wanted = {}
    for partition in partitions:
        offset = committed[partition].committed if partition in committed else None
        if offset is None:
            raise UsageError(
                f"Cannot shift offset for partition {partition[0]}-{partition[1]} "
                "since there is no current committed offset"
            )
        wanted[partition] = offset + shift
    return _in_range(known, wanted)


def _to_current(known: GroupOffsets, parsed: Parsed, group: str, partitions: list[Partition]) -> Plan:
    committed = {at: offset.committed for at, offset in known.committed(group).items() if offset.committed is not None}
    ends = known.ends(partition for partition in partitions if partition not in committed)
    return {partition: committed[partition] if partition in committed else ends[partition] for partition in partitions}


def _to_time(known: GroupOffsets, partitions: list[Partition], moment_ms: int) -> Plan:
    found = known.at_time(partitions, moment_ms)
    later = [partition for partition in partitions if found[partition] is None]
    for topic, number in later:
        print(f"\nWarn: Partition {number} from topic {topic} is empty. Falling back to latest known offset.")
    ends = known.ends(later)
    return {partition: ends[partition] if offset is None else offset for partition, offset in found.items()}


def _to_datetime(known: GroupOffsets, parsed: Parsed, group: str, partitions: list[Partition]) -> Plan:
    return _to_time(known, partitions, timestamp_ms(parsed.value("to-datetime") or ""))


def _by_duration(known: GroupOffsets, parsed: Parsed, group: str, partitions: list[Partition]) -> Plan:
    return _to_time(known, partitions, int(time.time() * 1000) - duration_ms(parsed.value("by-duration") or ""))


def _from_file(known: GroupOffsets, parsed: Parsed, group: str, partitions: list[Partition]) -> Plan:
    groups = parsed.values("group")
    plans = read_plans(parsed.value("from-file") or "", groups[0] if len(groups) == 1 else None)
    if group not in plans:
        print(f"\nError: No reset plan for group {group} found")
    return _in_range(known, plans.get(group, {}))


_PLANS: dict[str, Callable[[GroupOffsets, Parsed, str, list[Partition]], Plan]] = {
    "to-offset": _to_offset,
    "to-earliest": lambda known, parsed, group, partitions: known.starts(partitions),
    "to-latest": lambda known, parsed, group, partitions: known.ends(partitions),
    "shift-by": _shift_by,
    "to-datetime": _to_datetime,
    "by-duration": _by_duration,
    "from-file": _from_file,
    "to-current": _to_current,
}
