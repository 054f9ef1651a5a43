"""`kafka-topics`: create, list, describe, alter and delete topics (org.apache.kafka.tools.TopicCommand)."""

import base64
import binascii
import re
import sys
from collections.abc import Sequence
from typing import Any

from headrace.tools.admin import Admin, ServerError
from headrace.tools.clients import properties_file
from headrace.tools.command import Refusal, Tool, UsageError, refuse_together, require
from headrace.tools.options import OptionError, Parsed
from headrace.tools.topic_description import TopicView, print_topic
from headrace.tools.topic_names import pick

ACTIONS = ("create", "list", "alter", "describe", "delete")
REPORTS = (
    "under-replicated-partitions",
    "under-min-isr-partitions",
    "at-min-isr-partitions",
    "unavailable-partitions",
)
_TOPIC_ALREADY_EXISTS = 36
_NO_ID = b"\0" * 16


def main(argv: Sequence[str]) -> int:
    """Run `kafka-topics` with `argv`; gives the exit status."""
    greeting = "This tool helps to create, delete, describe, or change a topic."
    return Tool("kafka-topics", greeting if argv else "Create, delete, describe, or change a topic.", _run).main(argv)


def _run(parsed: Parsed) -> int:
    _check(parsed)
    admin = Admin(properties_file(parsed.value("command-config")), parsed.value("bootstrap-server") or "")
    action = next(name for name in ACTIONS if parsed.has(name))
    try:
        _DO[action](admin, parsed)
    except (OptionError, Refusal, ServerError) as error:
        # Kafka's own stream for it: scripts look for this line on standard output.
        print(f"Error while executing topic command : {error}")
        return 1
    return 0


def _check(parsed: Parsed) -> None:
    if sum(parsed.has(action) for action in ACTIONS) != 1:
        raise UsageError("Command must include exactly one action: --list, --describe, --create, --alter or --delete")
    if parsed.has("delete-config"):
        print(
            "delete-config option is no longer supported and deprecated since version 4.0. "
            "The config will be fully removed in future releases.",
            file=sys.stderr,
        )
    _check_required(parsed)
    _check_combinations(parsed)


def _check_required(parsed: Parsed) -> None:
    if not parsed.has("bootstrap-server"):
        raise Refusal("--bootstrap-server must be specified")
    if parsed.has("describe") and parsed.has("if-exists") and not (parsed.has("topic") or parsed.has("topic-id")):
        raise UsageError("--topic or --topic-id is required to describe a topic")
    if not parsed.has("list") and not parsed.has("describe"):
        require(parsed, "topic")
    if parsed.has("alter"):
        if parsed.has("config"):
            raise UsageError(
                'Option combination "[[config], [bootstrap-server]]" can\'t be used with option "[alter]" '
                "(To alter topic configurations, the kafka-configs tool can be used.)"
            )
        require(parsed, "partitions")


def _check_combinations(parsed: Parsed) -> None:
    def only_with(name: str, *actions: str) -> None:
        refuse_together(parsed, name, *(action for action in ACTIONS if action not in actions))

    only_with("config", "create", "alter")
    only_with("partitions", "create", "alter")
    only_with("replication-factor", "create")
    only_with("replica-assignment", "create", "alter")
    if parsed.has("create"):
        refuse_together(parsed, "replica-assignment", "partitions", "replication-factor")
    for report in REPORTS:
        only_with(report, "describe")
        refuse_together(parsed, report, "topics-with-overrides")
    only_with("topics-with-overrides", "describe")
    only_with("if-exists", "alter", "delete", "describe")
    only_with("if-not-exists", "create")
    only_with("exclude-internal", "list", "describe")


def _create(admin: Admin, parsed: Parsed) -> None:
    from confluent_kafka.admin import NewTopic

    name = parsed.value("topic") or ""
    partitions, factor = parsed.number("partitions"), parsed.number("replication-factor")
    assignment = _assignment(parsed)
    configs = _configs(parsed)
    if "." in name or "_" in name:
        print(
            "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could "
            "collide. To avoid issues it is best to use either, but not both."
        )
    if factor is not None and not 1 <= factor <= 32767:
        raise Refusal("The replication factor must be between 1 and 32767 inclusive")
    if partitions is not None and partitions < 1:
        raise Refusal("The partitions must be greater than 0")
    if assignment:
        topic = NewTopic(name, len(assignment), replica_assignment=assignment, config=configs)
    else:
        topic = NewTopic(name, partitions or -1, factor or -1, config=configs)
    try:
        admin.wait("createTopics", _asked(admin.client.create_topics, [topic])[name])
    except ServerError as error:
        if error.code == _TOPIC_ALREADY_EXISTS and parsed.has("if-not-exists"):
            return
        raise
    print(f"Created topic {name}.")


def _configs(parsed: Parsed) -> dict[str, str]:
    pairs = [re.split(r"\s*=\s*", text) for text in parsed.values("config")]
    if not all(len(pair) == 2 and pair[1] for pair in pairs):
        raise Refusal(
            'requirement failed: Invalid topic config: all configs to be added must be in the format "key=val".'
        )
    return {key.strip(): value.strip() for key, value in pairs}


def _assignment(parsed: Parsed) -> list[list[int]]:
    """Brokers of each partition, from `1:2,2:1`."""
    text = parsed.value("replica-assignment")
    try:
        rows = [[int(broker) for broker in part.split(":")] for part in text.split(",")] if text else []
    except ValueError:
        raise Refusal(f"--replica-assignment {text}: broker ids such as 1:2,2:1 would do") from None
    for number, row in enumerate(rows):
        twice = [str(broker) for broker in dict.fromkeys(row) if row.count(broker) > 1]
        if twice:
            raise Refusal(f"Partition replica lists may not contain duplicate entries: {','.join(twice)}")
        if len(row) != len(rows[0]):
            raise Refusal(f"Partition {number} has different replication factor: {row}")
    return rows


def _list(admin: Admin, parsed: Parsed) -> None:
    print("\n".join(_topics(admin, parsed)))


def _topics(admin: Admin, parsed: Parsed) -> list[str]:
    return pick(admin.metadata().topics, parsed.value("topic"), parsed.has("exclude-internal"))


def _known_topics(admin: Admin, parsed: Parsed) -> list[str]:
    """The topics that `--topic` picks. Raises Refusal where there is none and `--if-exists` does not allow for it."""
    topics = _topics(admin, parsed)
    if parsed.value("topic") and not topics and not parsed.has("if-exists"):
        raise Refusal(f"Topic '{parsed.value('topic')}' does not exist as expected")
    return topics


def _alter(admin: Admin, parsed: Parsed) -> None:
    from confluent_kafka.admin import NewPartitions

    partitions, assignment = parsed.number("partitions") or 0, _assignment(parsed)
    topics = _known_topics(admin, parsed)
    if not topics:
        return
    known = admin.metadata().topics
    wanted = []
    for name in topics:
        more = assignment[len(known[name].partitions) :]
        wanted.append(NewPartitions(name, partitions, more) if more else NewPartitions(name, partitions))
    for future in _asked(admin.client.create_partitions, wanted).values():
        admin.wait("createPartitions", future)


def _asked(call: Any, wanted: list[Any]) -> dict[str, Any]:
    """The futures of `call`. Raises Refusal where the client refuses numbers that contradict each other."""
    try:
        return dict(call(wanted))
    except ValueError as error:
        raise Refusal(str(error)) from None


def _delete(admin: Admin, parsed: Parsed) -> None:
    topics = _known_topics(admin, parsed)
    if topics:
        for future in admin.client.delete_topics(topics).values():
            admin.wait("deleteTopics", future)


def _describe(admin: Admin, parsed: Parsed) -> None:
    topics = _described(admin, parsed)
    reports = [report for report in REPORTS if parsed.has(report)]
    brokers = set(admin.metadata().brokers) if reports else set()
    configs = _topic_configs(admin, [topic.name for topic in topics])
    for topic in topics:
        view = TopicView(topic, configs[topic.name], brokers)
        print_topic(view, reports, overridden_only=parsed.has("topics-with-overrides"))


def _described(admin: Admin, parsed: Parsed) -> list[Any]:
    """What the cluster says of the topics asked for; a topic id counts for more than a name."""
    wanted = _topic_id(parsed.value("topic-id"))
    if parsed.has("if-exists") and parsed.has("topic") and parsed.has("topic-id"):
        print(
            "Only topic id will be used when both --topic and --topic-id are specified "
            "and topicId is not Uuid.ZERO_UUID"
        )
    if wanted is None:
        return _descriptions(admin, _known_topics(admin, parsed))
    every = _descriptions(admin, pick(admin.metadata().topics, None, parsed.has("exclude-internal")))
    found = [topic for topic in every if TopicView.id_of(topic) == wanted]
    if not found and not parsed.has("if-exists"):
        raise Refusal(f"TopicId '{wanted}' does not exist as expected")
    return found


def _descriptions(admin: Admin, names: list[str]) -> list[Any]:
    from confluent_kafka import TopicCollection

    if not names:
        return []
    futures = admin.client.describe_topics(TopicCollection(names))
    return [admin.wait("describeTopics", futures[name]) for name in names]


def _topic_configs(admin: Admin, names: list[str]) -> dict[str, Any]:
    from confluent_kafka.admin import ConfigResource

    if not names:
        return {}
    futures = admin.client.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, name) for name in names])
    return {resource.name: admin.wait("describeConfigs", future) for resource, future in futures.items()}


def _topic_id(text: str | None) -> str | None:
    """The id as Kafka writes it; None where there is none, or the one of zeros."""
    if text is None:
        return None
    try:
        value = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        value = b""
    if len(value) != 16:
        raise Refusal(
            f"Input string `{text}` decoded as {len(value)} bytes, "
            "which is not equal to the expected 16 bytes of a base64-encoded UUID"
        )
    return None if value == _NO_ID else base64.urlsafe_b64encode(value).decode().rstrip("=")


_DO = {"create": _create, "list": _list, "alter": _alter, "describe": _describe, "delete": _delete}
