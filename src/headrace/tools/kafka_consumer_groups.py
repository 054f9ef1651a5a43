"""`kafka-consumer-groups`: list, describe, delete and reset groups (org.apache.kafka.tools...ConsumerGroupCommand)."""

import re
import sys
from collections.abc import Sequence

from headrace.tools.admin import Admin, ServerError
from headrace.tools.clients import properties_file
from headrace.tools.command import Tool, UsageError, refuse_together, require
from headrace.tools.group_offsets import GroupOffsets, raise_if_dead
from headrace.tools.group_reset import SCENARIOS, Failure, Plan, explicit_partitions, plan, written_plans
from headrace.tools.group_tables import (
    REBALANCING,
    Group,
    Offset,
    Partition,
    deletion_table,
    listing,
    members_table,
    offsets_table,
    reset_table,
    state_table,
)
from headrace.tools.java_errors import UNKNOWN_TOPIC_OR_PARTITION, exception
from headrace.tools.options import OptionError, Parsed

ACTIONS = ("list", "describe", "delete", "reset-offsets", "delete-offsets", "validate-regex")
STATES = ("CompletingRebalance", "Dead", "Reconciling", "PreparingRebalance", "Assigning", "Stable", "Empty")
TYPES = ("Consumer", "Classic")
_GREETING = (
    "This tool helps to list all consumer groups, describe a consumer group, delete consumer group info, "
    "or reset consumer group offsets."
)
_SCOPE = "[all-groups], [group]"
_NO_PARTITION = -1


def main(argv: Sequence[str]) -> int:
    """Run `kafka-consumer-groups` with `argv`; gives the exit status."""
    return Tool("kafka-consumer-groups", _GREETING, _run).main(argv)


def _run(parsed: Parsed) -> int:
    _check(parsed)
    if sum(parsed.has(action) for action in ACTIONS) != 1:
        raise UsageError(f"Command must include exactly one action: {', '.join(f'--{name}' for name in ACTIONS)}")
    if parsed.has("validate-regex"):
        _validate(parsed.value("validate-regex") or "")
        return 0
    try:
        servers = parsed.value("bootstrap-server") or ""
        properties = properties_file(parsed.value("command-config"))
        properties["default.api.timeout.ms"] = str(parsed.number("timeout"))
        known = GroupOffsets(Admin(properties, servers))
        _DO[next(action for action in ACTIONS if parsed.has(action))](known, parsed)
    except OptionError as error:
        raise UsageError(str(error)) from None
    except ServerError as error:
        _fail(_told(error))
    except Failure as error:
        _fail(str(error))
    return 0


def _fail(reason: str) -> None:
    """Kafka's tool tells it on standard output, and ends with status 0."""
    print(f"\nError: Executing consumer group command failed due to {reason}")


def _told(error: ServerError) -> str:
    return str(error) if error.code == UNKNOWN_TOPIC_OR_PARTITION else error.as_java()


def _check(parsed: Parsed) -> None:
    if not parsed.has("validate-regex"):
        require(parsed, "bootstrap-server")
    if parsed.has("describe"):
        _check_describe(parsed)
    if parsed.has("delete"):
        _require_scope(parsed, "delete")
        if parsed.has("topic"):
            raise UsageError("The consumer does not support topic-specific offset deletion from a consumer group.")
    if parsed.has("delete-offsets") and not (parsed.has("group") and parsed.has("topic")):
        raise UsageError("Option [delete-offsets] takes the following options: [topic], [group]")
    if parsed.has("reset-offsets"):
        _check_reset(parsed)
    refuse_together(parsed, "group", "all-groups", "list")
    refuse_together(parsed, "topic", "list", "describe")


def _check_describe(parsed: Parsed) -> None:
    _require_scope(parsed, "describe")
    if sum(parsed.has(name) for name in ("members", "offsets", "state")) > 1:
        raise UsageError("Option [describe] takes at most one of these options: [members], [offsets], [state]")
    if parsed.values("state"):
        raise UsageError("Option [describe] does not take a value for [state]")


def _check_reset(parsed: Parsed) -> None:
    if parsed.has("dry-run") and parsed.has("execute"):
        raise UsageError("Option [reset-offsets] only accepts one of [execute] and [dry-run]")
    if not parsed.has("dry-run") and not parsed.has("execute"):
        print(
            "WARN: No action will be performed as the --execute option is missing. In version 5.0, this command will "
            "require either --dry-run or --execute to be specified. You should add the --dry-run option explicitly if "
            "you are scripting this command and want to keep the current default behavior without prompting.",
            file=sys.stderr,
        )
    _require_scope(parsed, "reset-offsets")
    for scenario in SCENARIOS:
        refuse_together(parsed, scenario, *(other for other in SCENARIOS if other != scenario))


def _require_scope(parsed: Parsed, action: str) -> None:
    if not parsed.has("group") and not parsed.has("all-groups"):
        raise UsageError(f"Option [{action}] takes one of these options: {_SCOPE}")


def _validate(regex: str) -> None:
    """By Python's syntax, which has what RE2 has and more; groups are matched by the broker's own."""
    try:
        re.compile(regex)
    except re.error as error:
        print(f"The regular expression `{regex}` is invalid: {error}.")
    else:
        print(f"The regular expression `{regex}` is valid.")


def _groups(known: GroupOffsets, parsed: Parsed) -> list[str]:
    return [name for name, _, _ in known.names()] if parsed.has("all-groups") else parsed.values("group")


def _list(known: GroupOffsets, parsed: Parsed) -> None:
    states = _picked(parsed, "state", STATES, "Invalid state list '{}'. Valid states are: {}")
    types = _picked(parsed, "type", TYPES, "Invalid types list '{}'. Valid types are: {}")
    groups = [(name, kind, state) for name, kind, state in known.names() if kind in types and state in states]
    if parsed.has("state") or parsed.has("type"):
        print("\n".join(listing(groups, parsed.has("type"), parsed.has("state"))))
    else:
        for name, _, _ in groups:
            print(name)


def _picked(parsed: Parsed, option: str, known: Sequence[str], sentence: str) -> Sequence[str]:
    """The words of a list such as `stable,empty` as Kafka writes them; everything where there is none."""
    text = parsed.value(option)
    if not text:
        return (*known, "Unknown")
    words = {word.lower(): word for word in known}
    wanted = [part.strip().lower() for part in text.split(",")]
    if not all(word in words for word in wanted):
        raise UsageError(sentence.format(text, ", ".join(known)))
    return [words[word] for word in wanted]


def _describe(known: GroupOffsets, parsed: Parsed) -> None:
    groups = known.describe(_groups(known, parsed))
    for group in groups:
        raise_if_dead(group)
    verbose = parsed.has("verbose")
    for group in groups:
        if parsed.has("members"):
            _tell_state(group)
            lines = members_table(group, verbose)
        elif parsed.has("state"):
            _tell_state(group)
            lines = state_table(group, verbose)
        else:
            offsets = _offsets(known, group)
            _tell_state(group)
            lines = offsets_table(group, offsets, verbose)
        if lines:
            print("", *lines, sep="\n")


def _offsets(known: GroupOffsets, group: Group) -> dict[Partition, Offset]:
    committed = known.committed(group.name)
    owned = {partition for member in group.members for partition in member.partitions}
    ends = known.ends({*committed, *owned})
    found = {at: committed.get(at, Offset()) for at in ends}
    return {at: Offset(offset.committed, offset.leader_epoch, ends[at]) for at, offset in found.items()}


def _tell_state(group: Group) -> None:
    sys.stdout.flush()
    if group.state == "Empty":
        print(f"\nConsumer group '{group.name}' has no active members.", file=sys.stderr)
    elif group.state in REBALANCING:
        print(f"\nWarning: Consumer group '{group.name}' is rebalancing.", file=sys.stderr)


def _delete(known: GroupOffsets, parsed: Parsed) -> None:
    names = list(dict.fromkeys(_groups(known, parsed)))
    failed: dict[str, str] = {}
    for name, future in known.admin.client.delete_consumer_groups(names).items() if names else ():
        try:
            known.admin.wait("deleteConsumerGroups", future)
        except ServerError as error:
            failed[name] = error.as_java()
    done = [name for name in names if name not in failed]
    if not failed:
        print(f"Deletion of requested consumer groups ('{', '.join(done)}') was successful.")
        return
    print("\nError: Deletion of some consumer groups failed:")
    for name, why in failed.items():
        print(f"* Group '{name}' could not be deleted due to: {why}")
    if done:
        quoted = ", ".join(f"'{name}'" for name in done)
        print(f"\nThese consumer groups were deleted successfully: {quoted}")


def _reset(known: GroupOffsets, parsed: Parsed) -> None:
    plans: dict[str, Plan] = {}
    for group in known.describe(_groups(known, parsed)):
        if group.state not in ("Empty", "Dead"):
            print(
                f"\nError: Assignments can only be reset if the group '{group.name}' is inactive, "
                f"but the current state is {group.state}."
            )
            plans[group.name] = {}
            continue
        plans[group.name] = plan(known, parsed, group.name)
        if parsed.has("execute"):
            known.commit(group.name, plans[group.name])
    if parsed.has("export"):
        print(written_plans(plans, one_group=len(parsed.values("group")) == 1))
    elif plans:
        print("", *reset_table(plans), sep="\n")
    else:
        print()


def _delete_offsets(known: GroupOffsets, parsed: Parsed) -> None:
    from headrace.tools.offset_delete import delete_offsets

    group, topics = parsed.value("group") or "", parsed.values("topic")
    results: dict[Partition, str] = {}
    wanted: list[Partition] = []
    for topic in topics:
        try:
            wanted += explicit_partitions(topic) if ":" in topic else known.partitions(topic)
        except ServerError as error:
            results[topic, _NO_PARTITION] = f"Error: {error.as_java()}"
    codes = delete_offsets(known.admin.properties, group, wanted)
    results.update(
        {at: f"Error: {exception(code, str(code))}" if code else "Successful" for at, code in codes.parts.items()}
    )
    if codes.group:
        print(f"\nError: {exception(codes.group, '').partition(': ')[2]}")
        results.update(dict.fromkeys(wanted, f"Error: {exception(codes.group, str(codes.group))}"))
    elif any(codes.parts.values()):
        print("\nError: Encountered some partition-level error, see the follow-up details.")
    else:
        print(f"Request succeeded for deleting offsets from group {group}.")
    print("", *deletion_table(results), sep="\n")


_DO = {
    "list": _list,
    "describe": _describe,
    "delete": _delete,
    "reset-offsets": _reset,
    "delete-offsets": _delete_offsets,
}
