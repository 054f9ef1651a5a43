"""DescribeConfigs (API key 32): the configuration of topics and of the broker, and where each value comes from.

Behaviour: topics by name; the broker by its id, or by "" for what was set for all brokers. Of the broker, the keys that
mean something here. Sensitive values are null. The documentation is our own: it says what a key does here.
Versions: 1-4. 3 types and documentation; 4 flexible.
Not offered: the resource types BROKER_LOGGER, CLIENT_METRICS and GROUP, which are INVALID_REQUEST.
"""

from typing import Any, Final

from headrace.broker.dispatch import DESCRIBE_CONFIGS, Context, api
from headrace.broker.layers import Described
from headrace.broker.outcome import Outcome, Refusal, Reply
from headrace.broker.state import State, name_fault
from headrace.config import Type
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import DescribeConfigsResponse, Message

TOPIC: Final = 2
BROKER: Final = 4

_TYPES: Final = {
    Type.BOOLEAN: 1,
    Type.STRING: 2,
    Type.INT: 3,
    Type.SHORT: 4,
    Type.LONG: 5,
    Type.DOUBLE: 6,
    Type.LIST: 7,
    Type.CLASS: 8,
    Type.PASSWORD: 9,
}

_Result: Any = DescribeConfigsResponse.DescribeConfigsResult


@api(DESCRIBE_CONFIGS, versions=(1, 4))
def handle(request: Message, context: Context, state: State) -> Outcome:
    return Reply(DescribeConfigsResponse(results=[_result(resource, request, state) for resource in request.resources]))


def _result(resource: Message, request: Message, state: State) -> Message:
    found = _described(resource, state)
    error, described = (found, []) if isinstance(found, Refusal) else (Refusal(ErrorCode.NONE), found)
    wanted = resource.configuration_keys
    return _Result(
        error_code=error.error,
        error_message=error.message or "",
        resource_type=resource.resource_type,
        resource_name=resource.resource_name,
        configs=[_config(one, request) for one in described if not wanted or one.key.name in wanted],
    )


def _described(resource: Message, state: State) -> list[Described] | Refusal:
    kind, name = resource.resource_type, resource.resource_name
    if kind == TOPIC:
        return _of_topic(name, state)
    if kind == BROKER:
        return _of_broker(name, state)
    text = f"Resource type {kind} has no configuration on this broker: topics ({TOPIC}) and brokers ({BROKER}) have"
    return Refusal(ErrorCode.INVALID_REQUEST, text)


def _of_topic(name: str, state: State) -> list[Described] | Refusal:
    fault = name_fault(name)
    if fault is not None:
        return Refusal(ErrorCode.INVALID_TOPIC_EXCEPTION, fault)
    topic = state.topics.get(name)
    if topic is None:
        return Refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    return state.layers.describe_topic(topic.configs, state.config)


def _of_broker(name: str, state: State) -> list[Described] | Refusal:
    if not name:
        return state.layers.describe_cluster()
    node_id = state.config.node_id
    try:
        asked = int(name)
    except ValueError:
        return Refusal(ErrorCode.INVALID_REQUEST, f"Broker id must be an integer, but it is: {name}")
    if asked != node_id:
        text = f"Unexpected broker id, expected {node_id} or empty string, but received {name}"
        return Refusal(ErrorCode.INVALID_REQUEST, text)
    return state.layers.describe_broker(state.config)


def _config(one: Described, request: Message) -> Message:
    config = _Result.DescribeConfigsResourceResult
    synonyms = one.synonyms if request.include_synonyms else ()
    return config(
        name=one.key.name,
        value=one.value,
        read_only=one.is_read_only,
        config_source=one.source,
        is_sensitive=one.is_sensitive,
        synonyms=[
            config.DescribeConfigsSynonym(name=synonym.name, value=synonym.value, source=synonym.source)
            for synonym in synonyms
        ],
        config_type=_TYPES[one.key.type],
        documentation=one.key.documentation if request.include_documentation else None,
    )
