"""CreateTopics (API key 19): make topics, all of a request that can be made.

Behaviour: each topic is checked by itself, in Apache Kafka's words; the answer waits until the topics are there.
A replication factor above 1 is Kafka's own error, with what to do. Configurations are checked and kept; some are taken
and not acted on (docs/broker/deviations.md).
Versions: 2-7. 4 default partitions and factor by -1; 5 flexible, configurations in the answer; 7 topic ids.
Not offered: nothing.
"""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Final

from headrace.broker.dispatch import CREATE_TOPICS, Context, api
from headrace.broker.metadata import new_id
from headrace.broker.outcome import Later, Outcome, Refusal, Reply
from headrace.broker.partition import Topic
from headrace.broker.state import NewTopic, State, name_fault
from headrace.config import ConfigError
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import CreateTopicsResponse, Message

MOST_PARTITIONS: Final = 10_000


@api(CREATE_TOPICS, versions=(2, 7))
def handle(request: Message, context: Context, state: State) -> Outcome:
    counts = Counter(asked.name for asked in request.topics)
    names = list(counts)
    results: dict[str, Message] = {}
    accepted: list[NewTopic] = []
    for name in names:
        asked = next(asked for asked in request.topics if asked.name == name)
        planned = _plan(asked, state, is_twice=counts[name] > 1)
        if isinstance(planned, Refusal):
            results[name] = _refused(name, planned)
        elif request.validate_only:
            results[name] = _made(planned, None, state)
        else:
            accepted.append(planned)
    if not accepted:
        return _answer(names, results)
    return _create(accepted, names, results, context, state)


def _create(
    accepted: list[NewTopic], names: list[str], results: dict[str, Message], context: Context, state: State
) -> Later:
    later = Later()

    def done(planned: NewTopic, error: ErrorCode, topic: Topic | None) -> None:
        if error or topic is None:
            text = (
                f"Topic '{planned.name}' already exists." if error is ErrorCode.TOPIC_ALREADY_EXISTS else "disk error"
            )
            results[planned.name] = _refused(planned.name, Refusal(error, text))
        else:
            results[planned.name] = _made(planned, topic, state)
        if len(results) == len(names):
            later.answer(_answer(names, results))

    for planned in accepted:
        state.create_topic(planned, context.now_ms, partial(done, planned))
    return later


def _plan(asked: Message, state: State, *, is_twice: bool) -> NewTopic | Refusal:
    if is_twice:
        return Refusal(ErrorCode.INVALID_REQUEST, "Duplicate topic name.")
    if asked.name == "__cluster_metadata":
        return Refusal(ErrorCode.INVALID_REQUEST, f"Creation of internal topic {asked.name} is prohibited.")
    fault = name_fault(asked.name)
    if fault is not None:
        return Refusal(ErrorCode.INVALID_TOPIC_EXCEPTION, fault)
    if asked.name in state.topics:
        return Refusal(ErrorCode.TOPIC_ALREADY_EXISTS, f"Topic '{asked.name}' already exists.")
    twin = _collision(asked.name, state)
    if twin is not None:
        return Refusal(ErrorCode.INVALID_TOPIC_EXCEPTION, f"Topic '{asked.name}' collides with existing topic: {twin}")
    configs = _configs(asked, state)
    if isinstance(configs, Refusal):
        return configs
    partitions = _assigned(asked, state) if asked.assignments else _counted(asked, state)
    return partitions if isinstance(partitions, Refusal) else NewTopic(asked.name, partitions, configs)


def _collision(name: str, state: State) -> str | None:
    """A topic that differs only by a dot in place of an underscore: metrics could not tell them apart."""
    if "." not in name and "_" not in name:
        return None
    flat = name.replace(".", "_")
    return next((known for known in state.topics if known != name and known.replace(".", "_") == flat), None)


def _configs(asked: Message, state: State) -> dict[str, str] | Refusal:
    configs = {}
    for config in asked.configs:
        if config.value is None:
            return Refusal(ErrorCode.INVALID_CONFIG, f"Null value not supported for topic configs: {config.name}")
        configs[config.name] = config.value
    try:
        state.config.check_topic(configs)
    except ConfigError as error:
        return Refusal(ErrorCode.INVALID_CONFIG, str(error))
    return configs


def _counted(asked: Message, state: State) -> int | Refusal:
    if asked.replication_factor < -1 or asked.replication_factor == 0:
        return Refusal(
            ErrorCode.INVALID_REPLICATION_FACTOR,
            "Replication factor must be larger than 0, or -1 to use the default value.",
        )
    if asked.num_partitions < -1 or asked.num_partitions == 0:
        return Refusal(ErrorCode.INVALID_PARTITIONS, "Number of partitions was set to an invalid non-positive value.")
    if asked.num_partitions > MOST_PARTITIONS:
        return Refusal(ErrorCode.POLICY_VIOLATION, "Excessively large number of partitions per request.")
    if asked.replication_factor > 1:
        factor = asked.replication_factor
        return Refusal(
            ErrorCode.INVALID_REPLICATION_FACTOR,
            f"Unable to replicate the partition {factor} time(s): The target replication factor of {factor} cannot be "
            "reached because only 1 broker(s) are registered or some brokers have all their log directories cordoned. "
            "This broker is one node: set the replication factor to 1 or -1, or use Apache Kafka.",
        )
    return int(state.config.num_partitions if asked.num_partitions == -1 else asked.num_partitions)


def _assigned(asked: Message, state: State) -> int | Refusal:
    """A manual assignment: the only one possible puts each partition on this broker."""
    if asked.replication_factor != -1:
        return Refusal(
            ErrorCode.INVALID_REQUEST,
            "A manual partition assignment was specified, but replication factor was not set to -1.",
        )
    if asked.num_partitions != -1:
        return Refusal(
            ErrorCode.INVALID_REQUEST,
            "A manual partition assignment was specified, but numPartitions was not set to -1.",
        )
    indexes = sorted(assignment.partition_index for assignment in asked.assignments)
    if indexes != list(range(len(indexes))):
        return Refusal(
            ErrorCode.INVALID_REPLICA_ASSIGNMENT, "partitions should be a consecutive 0-based integer sequence"
        )
    for assignment in asked.assignments:
        refusal = assignment_fault(assignment.broker_ids, state)
        if refusal is not None:
            return refusal
    return len(indexes)


def assignment_fault(broker_ids: Sequence[int], state: State) -> Refusal | None:
    """Why these brokers cannot have a partition; None where they can, which is this broker alone."""
    if not broker_ids:
        text = "The manual partition assignment includes an empty replica list."
        return Refusal(ErrorCode.INVALID_REPLICA_ASSIGNMENT, text)
    stranger = next((broker_id for broker_id in sorted(broker_ids) if broker_id != state.config.node_id), None)
    if stranger is not None:
        text = f"The manual partition assignment includes broker {stranger}, but no such broker is registered."
        return Refusal(ErrorCode.INVALID_REPLICA_ASSIGNMENT, text)
    if len(broker_ids) > 1:
        text = f"The manual partition assignment includes the broker {broker_ids[0]} more than once."
        return Refusal(ErrorCode.INVALID_REPLICA_ASSIGNMENT, text)
    return None


def _refused(name: str, refusal: Refusal) -> Message:
    return CreateTopicsResponse.CreatableTopicResult(
        name=name, error_code=refusal.error, error_message=refusal.message, configs=[]
    )


def _made(planned: NewTopic, topic: Topic | None, state: State) -> Message:
    configs = [
        CreateTopicsResponse.CreatableTopicResult.CreatableTopicConfigs(
            name=one.key.name,
            value=one.value,
            read_only=False,
            config_source=one.source,
            is_sensitive=one.is_sensitive,
        )
        for one in state.layers.describe_topic(planned.configs, state.config)
    ]
    return CreateTopicsResponse.CreatableTopicResult(
        name=planned.name,
        topic_id=new_id() if topic is None else topic.topic_id,
        error_code=ErrorCode.NONE,
        error_message=None,
        num_partitions=planned.partitions,
        replication_factor=1,
        configs=configs,
    )


def _answer(names: list[str], results: dict[str, Message]) -> Reply:
    return Reply(CreateTopicsResponse(topics=[results[name] for name in names]))
