"""`kafka-configs`: describe and change the configs of topics and brokers (kafka.admin.ConfigCommand).

By kafka-python: confluent-kafka keeps the synonyms of a config by name, and so loses those of one name.
"""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from headrace.config import ConfigError, read_properties
from headrace.tools.admin import ServerError
from headrace.tools.clients import properties_file
from headrace.tools.command import Refusal, Tool, UsageError, refuse_together
from headrace.tools.config_entities import (
    DEFAULT,
    RESOURCES,
    Entity,
    additions,
    deletions,
    entity,
    refuse_twice,
    require_name,
)
from headrace.tools.options import Parsed
from headrace.tools.protocol import Requests

SOURCES = {
    0: "UNKNOWN",
    1: "DYNAMIC_TOPIC_CONFIG",
    2: "DYNAMIC_BROKER_CONFIG",
    3: "DYNAMIC_DEFAULT_BROKER_CONFIG",
    4: "STATIC_BROKER_CONFIG",
    5: "DEFAULT_CONFIG",
    6: "DYNAMIC_BROKER_LOGGER_CONFIG",
    7: "CLIENT_METRICS_CONFIG",
    8: "GROUP_CONFIG",
}
_SET, _DELETE = 0, 1
_GREETING = (
    "This tool helps to manipulate and describe entity config for a topic, client, user, broker, ip, "
    "client-metrics or group"
)


class _Failed(Exception):
    """A question that the cluster refused, in its own words."""


def main(argv: Sequence[str]) -> int:
    """Run `kafka-configs` with `argv`; gives the exit status."""
    return Tool("kafka-configs", _GREETING, lambda parsed: _run(parsed, argv)).main(argv)


def _run(parsed: Parsed, argv: Sequence[str]) -> int:
    found = _checked(parsed)
    try:
        added = _added(parsed) if parsed.has("alter") else {}
        requests = _connect(parsed)
        try:
            if parsed.has("alter"):
                _alter(requests, found, added, deletions(parsed))
            else:
                _describe(requests, found, every=parsed.has("all"))
        finally:
            requests.close()
    except (_Failed, ServerError) as error:
        sys.stdout.flush()
        print(f"Error while executing config command with args '{' '.join(argv)}'", error, sep="\n", file=sys.stderr)
        return 1
    return 0


def _connect(parsed: Parsed) -> Requests:
    try:
        properties = properties_file(parsed.value("command-config"))
        return Requests({**properties, "bootstrap.servers": parsed.value("bootstrap-server") or ""})
    except Refusal as error:
        raise _Failed(str(error)) from None


def _checked(parsed: Parsed) -> Entity:
    if parsed.has("alter") == parsed.has("describe"):
        raise UsageError("Command must include exactly one action: --describe, --alter")
    refuse_together(parsed, "describe", "add-config", "add-config-file", "delete-config")
    if not parsed.has("bootstrap-server") and not parsed.has("bootstrap-controller"):
        raise Refusal("Either --bootstrap-server or --bootstrap-controller must be specified.")
    if parsed.has("bootstrap-server") and parsed.has("bootstrap-controller"):
        raise Refusal("Only one of --bootstrap-server or --bootstrap-controller can be specified")
    if parsed.has("bootstrap-controller"):
        raise Refusal("--bootstrap-controller is not offered here: ask a broker with --bootstrap-server HOST:PORT")
    found = entity(parsed)
    if parsed.has("alter"):
        require_name(found)
        if parsed.has("add-config") and parsed.has("add-config-file"):
            raise Refusal("Only one of --add-config or --add-config-file must be specified")
        if not any(parsed.has(name) for name in ("add-config", "add-config-file", "delete-config")):
            raise Refusal(
                "At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter"
            )
    return found


def _added(parsed: Parsed) -> dict[str, str]:
    path = parsed.value("add-config-file")
    if path is None:
        text = parsed.value("add-config")
        return additions(text) if text is not None else {}
    try:
        return read_properties(path)
    except ConfigError as error:
        raise _Failed(str(error)) from None


def _alter(requests: Requests, found: Entity, added: dict[str, str], deleted: list[str]) -> None:
    from kafka.protocol.admin import IncrementalAlterConfigsRequest

    try:
        refuse_twice(added, deleted)
    except Refusal as error:
        raise _Failed(str(error)) from None
    resource = IncrementalAlterConfigsRequest.AlterConfigsResource
    changes = [(key, _SET, value) for key, value in added.items()] + [(key, _DELETE, None) for key in deleted]
    configs = [
        resource.AlterableConfig(name=key, config_operation=operation, value=value) for key, operation, value in changes
    ]
    wanted = resource(resource_type=RESOURCES[found.type], resource_name=found.name, configs=configs)
    answer = requests.send(IncrementalAlterConfigsRequest(resources=[wanted], validate_only=False), _node(found))
    _raise_error(answer.responses[0])
    whose = (
        f"default config for {found.type} in the cluster" if found.name == DEFAULT else f"config for {_called(found)}"
    )
    print(f"Completed updating {whose}.")


def _describe(requests: Requests, found: Entity, every: bool) -> None:
    topics, brokers = _known(requests)
    known = topics if found.type == "topics" else [*brokers, DEFAULT]
    if found.name is not None and found.name not in known and not every:
        print(f"The {found.word} '{found.name}' doesn't exist and doesn't have dynamic config.")
        return
    for name in known if found.name is None else [found.name]:
        _describe_one(requests, Entity(found.type, name), every)


def _describe_one(requests: Requests, found: Entity, every: bool) -> None:
    if found.name == DEFAULT:
        print(f"Default configs for {found.type} in the cluster are:")
    else:
        print(f"{'All' if every else 'Dynamic'} configs for {_called(found)} are:")
    source = 1 if found.type == "topics" else 3 if found.name == DEFAULT else 2
    for entry in sorted(_entries(requests, found), key=lambda entry: str(entry.name)):
        if every or entry.config_source == source:
            print(_line(entry))


def _entries(requests: Requests, found: Entity) -> Iterable[Any]:
    from kafka.protocol.admin import DescribeConfigsRequest

    resource = DescribeConfigsRequest.DescribeConfigsResource
    wanted = resource(resource_type=RESOURCES[found.type], resource_name=found.name, configuration_keys=None)
    request = DescribeConfigsRequest(resources=[wanted], include_synonyms=True, include_documentation=False)
    result = requests.send(request, _node(found)).results[0]
    _raise_error(result)
    return list(result.configs)


def _line(entry: Any) -> str:
    synonyms = ", ".join(
        f"{SOURCES.get(one.source, 'UNKNOWN')}:{one.name}={_text(one.value)}" for one in entry.synonyms
    )
    sensitive = str(bool(entry.is_sensitive)).lower()
    return f"  {entry.name}={_text(entry.value)} sensitive={sensitive} synonyms={{{synonyms}}}"


def _text(value: str | None) -> str:
    return "null" if value is None else value


def _known(requests: Requests) -> tuple[list[str], list[str]]:
    """Names of topics, ids of brokers."""
    from kafka.protocol.metadata import MetadataRequest

    answer = requests.send(
        MetadataRequest(topics=None, allow_auto_topic_creation=False, include_topic_authorized_operations=False)
    )
    return sorted(topic.name for topic in answer.topics), [str(broker.node_id) for broker in answer.brokers]


def _node(found: Entity) -> int | None:
    """A broker answers for itself; any one for topics and for what holds for all brokers."""
    return int(found.name) if found.type == "brokers" and found.name else None


def _called(found: Entity) -> str:
    return f"{found.word} {found.name}"


def _raise_error(result: Any) -> None:
    if result.error_code:
        from kafka.errors import for_code

        raise _Failed(result.error_message or for_code(result.error_code).description)
