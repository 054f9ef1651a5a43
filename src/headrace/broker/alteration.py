"""How a request alters configuration: what becomes of each resource it names, and why not, in Apache Kafka's words.

As `kafka.server.ConfigAdminManager` and `ConfigurationControlManager`: whether a topic is there is looked at last; a
key of the broker's must be one that can change while it runs.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from headrace.broker.config import DYNAMIC, refuse_unknown
from headrace.broker.outcome import Later, Outcome, Refusal, Reply
from headrace.broker.reconfiguration import MIN_INSYNC_REPLICAS
from headrace.broker.state import State, name_fault
from headrace.config import ConfigError
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import Message

TOPIC: Final = 2
BROKER: Final = 4

_DONE: Final = Refusal(ErrorCode.NONE)


class Altered(NamedTuple):
    """A resource, and the configuration that it will have."""

    kind: int
    name: str
    configs: Mapping[str, str]


Change = Callable[[Message, Mapping[str, str]], dict[str, str] | Refusal]
"""What a resource of the request makes of the configuration that there is."""


def alter(request: Message, state: State, change: Change, response: Any) -> Outcome:
    """Alter each resource that can be, and answer once it is on the disk; `response` is the class of the answer."""
    counts = Counter((one.resource_type, one.resource_name) for one in request.resources)
    results: list[Refusal] = []
    later, open_count = Later(), 1

    def done(at: int, error: ErrorCode) -> None:
        nonlocal open_count
        open_count -= 1
        if error:
            results[at] = Refusal(error, "disk error")
        if open_count == 0:
            later.answer(_answer(request, results, response))

    for at, resource in enumerate(request.resources):
        is_twice = counts[resource.resource_type, resource.resource_name] > 1
        planned = _twice() if is_twice else _plan(resource, change, state)
        results.append(planned if isinstance(planned, Refusal) else _DONE)
        if isinstance(planned, Altered) and not request.validate_only:
            open_count += 1
            _begin(planned, state, partial(done, at))
    done(0, ErrorCode.NONE)
    return later


def _answer(request: Message, results: list[Refusal], response: Any) -> Reply:
    responses = [
        response.AlterConfigsResourceResponse(
            error_code=result.error,
            error_message=result.message,
            resource_type=resource.resource_type,
            resource_name=resource.resource_name,
        )
        for resource, result in zip(request.resources, results, strict=True)
    ]
    return Reply(response(responses=responses))


def _twice() -> Refusal:
    return Refusal(ErrorCode.INVALID_REQUEST, "Each resource must appear at most once.")


def _begin(planned: Altered, state: State, done: Callable[[ErrorCode], None]) -> None:
    if planned.kind == TOPIC:
        state.reconfiguration.set_topic(state.topics[planned.name], planned.configs, done)
    else:
        state.reconfiguration.set_broker(planned.name, planned.configs, done)


def _plan(resource: Message, change: Change, state: State) -> Altered | Refusal:
    kind, name = resource.resource_type, resource.resource_name
    if len({one.name for one in resource.configs}) < len(resource.configs):
        return Refusal(ErrorCode.INVALID_REQUEST, "Error due to duplicate config keys")
    if kind == TOPIC:
        topic = state.topics.get(name)
        configs = change(resource, {} if topic is None else topic.configs)
        fault = configs if isinstance(configs, Refusal) else _topic_fault(name, configs, state)
    elif kind == BROKER:
        current = state.layers.of(name)
        stranger = _stranger(name, state)
        configs = stranger or change(resource, current)
        fault = configs if isinstance(configs, Refusal) else _broker_fault(name, current, configs, state)
    else:
        return Refusal(ErrorCode.INVALID_REQUEST, f"Unknown resource type {kind}")
    return fault or Altered(kind, name, configs)  # type: ignore[arg-type]


def _topic_fault(name: str, configs: Mapping[str, str], state: State) -> Refusal | None:
    if not name:
        return Refusal(ErrorCode.INVALID_REQUEST, "Default topic resources are not allowed.")
    fault = name_fault(name)
    if fault is not None:
        return Refusal(ErrorCode.INVALID_TOPIC_EXCEPTION, fault)
    try:
        state.config.check_topic(configs)
    except ConfigError as error:
        return Refusal(ErrorCode.INVALID_CONFIG, str(error))
    if name not in state.topics:
        return Refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"The topic '{name}' does not exist.")
    return None


def _stranger(name: str, state: State) -> Refusal | None:
    try:
        if name and int(name) != state.config.node_id:
            text = f"Unexpected broker id, expected {state.config.node_id}, but received {name}"
            return Refusal(ErrorCode.INVALID_REQUEST, text)
    except ValueError:
        return Refusal(ErrorCode.INVALID_REQUEST, f"Node id must be an integer, but it is: {name}")
    return None


def _broker_fault(name: str, current: Mapping[str, str], configs: Mapping[str, str], state: State) -> Refusal | None:
    try:
        refuse_unknown(configs)
        fixed = [key for key in configs if key not in DYNAMIC]
        if fixed:
            raise ConfigError(f"Cannot update these configs dynamically: [{', '.join(fixed)}]")
        state.layers.with_set(name, configs).effective().log_settings({})
    except ConfigError as error:
        return Refusal(ErrorCode.INVALID_REQUEST, str(error))
    was, will_be = current.get(MIN_INSYNC_REPLICAS), configs.get(MIN_INSYNC_REPLICAS)
    if name and was != will_be:
        text = f"Broker-level {MIN_INSYNC_REPLICAS} cannot be altered while ELR is enabled."
        return Refusal(ErrorCode.INVALID_CONFIG, text)
    if not name and will_be is None:
        text = f"Cluster-level {MIN_INSYNC_REPLICAS} cannot be removed while ELR is enabled."
        return Refusal(ErrorCode.INVALID_CONFIG, text)
    return None


def null_fault(names: list[str]) -> Refusal | None:
    """Where a value is needed and is null."""
    if not names:
        return None
    return Refusal(ErrorCode.INVALID_REQUEST, f"Null value not supported for : {', '.join(names)}")
