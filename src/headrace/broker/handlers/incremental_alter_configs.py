"""IncrementalAlterConfigs (API key 44): set, unset, append to and subtract from topics' and broker's configuration.

Behaviour: each resource is checked by itself, in Apache Kafka's words; what is changed holds at once, and is on the
disk before the answer. Of the broker, the keys that can change while it runs; for all brokers they are set under "".
Appending and subtracting begin with the default where a list was not set.
Versions: 0-1. 1 flexible.
Not offered: the resource types BROKER_LOGGER, CLIENT_METRICS and GROUP, which are INVALID_REQUEST.
"""

import enum
from collections.abc import Mapping

from headrace.broker.alteration import TOPIC, alter, null_fault
from headrace.broker.config import BROKER_CONFIGS
from headrace.broker.dispatch import INCREMENTAL_ALTER_CONFIGS, Context, api
from headrace.broker.layers import as_text
from headrace.broker.outcome import Outcome, Refusal
from headrace.broker.state import State
from headrace.config import Type
from headrace.log.settings import TOPIC_CONFIGS
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import IncrementalAlterConfigsResponse, Message


class Operation(enum.IntEnum):
    """`AlterConfigOp.OpType`."""

    SET = 0
    DELETE = 1
    APPEND = 2
    SUBTRACT = 3


@api(INCREMENTAL_ALTER_CONFIGS, versions=(0, 1))
def handle(request: Message, context: Context, state: State) -> Outcome:
    return alter(request, state, _changed, IncrementalAlterConfigsResponse)


def _changed(resource: Message, current: Mapping[str, str]) -> dict[str, str] | Refusal:
    deletes = Operation.DELETE
    fault = null_fault([one.name for one in resource.configs if one.value is None and one.config_operation != deletes])
    if fault is not None:
        return fault
    configs = dict(current)
    for config in resource.configs:
        refusal = _apply(config, configs, is_topic=resource.resource_type == TOPIC)
        if refusal is not None:
            return refusal
    return configs


def _apply(config: Message, configs: dict[str, str], *, is_topic: bool) -> Refusal | None:
    match config.config_operation:
        case Operation.SET:
            configs[config.name] = config.value
        case Operation.DELETE:
            configs.pop(config.name, None)
        case Operation.APPEND | Operation.SUBTRACT as operation:
            key = (TOPIC_CONFIGS if is_topic else BROKER_CONFIGS).keys.get(config.name)
            if key is None or key.type is not Type.LIST:
                return _no_list(config.name, Operation(operation), is_topic, is_known=key is not None)
            items = configs.get(config.name, as_text(key.default) or "")
            configs[config.name] = _combined(items, config.value, Operation(operation))
        case unknown:
            return Refusal(ErrorCode.INVALID_REQUEST, f"Unknown operations type {unknown}")
    return None


def _no_list(name: str, operation: Operation, is_topic: bool, *, is_known: bool) -> Refusal:
    if is_topic:
        text = f"Can't {operation.name} to key {name} because its type is not LIST."
    elif is_known:
        text = f"Config value {operation.name.lower()} is not allowed for config key: {name}"
    else:
        text = f"Unknown config name: {name}"
    return Refusal(ErrorCode.INVALID_CONFIG, text)


def _combined(text: str, change: str, operation: Operation) -> str:
    items = [item for item in text.split(",") if item]
    for item in change.split(","):
        if operation is Operation.SUBTRACT:
            if item in items:
                items.remove(item)
        elif item not in items:
            items.append(item)
    return ",".join(items)
