"""CreatePartitions (API key 37): more partitions for topics that are there.

Behaviour: each topic is checked by itself, in Apache Kafka's words; the answer waits until the partitions are there,
and then metadata has them. A topic named twice is refused. The offsets topic keeps the partitions that it has: groups
are found by their number.
Versions: 0-3. 2 flexible; 3 may be throttled (nothing is).
Not offered: nothing.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final

from headrace.broker.dispatch import CREATE_PARTITIONS, Context, api
from headrace.broker.handlers.create_topics import MOST_PARTITIONS, assignment_fault
from headrace.broker.outcome import Later, Outcome, Refusal, Reply
from headrace.broker.partition import CONSUMER_OFFSETS
from headrace.broker.state import State
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import CreatePartitionsResponse, Message

_DONE: Final = Refusal(ErrorCode.NONE)


@api(CREATE_PARTITIONS, versions=(0, 3))
def handle(request: Message, context: Context, state: State) -> Outcome:
    counts = Counter(asked.name for asked in request.topics)
    results: dict[str, Refusal] = {}
    later = Later()

    def told(name: str, refusal: Refusal) -> None:
        results[name] = refusal
        if len(results) == len(counts):
            later.answer(_answer(list(counts), results))

    if not counts:
        return _answer([], {})
    for asked in {asked.name: asked for asked in request.topics}.values():
        if counts[asked.name] > 1:
            told(asked.name, Refusal(ErrorCode.INVALID_REQUEST, "Duplicate topic name."))
        else:
            _attempt(asked, request.validate_only, state, partial(told, asked.name))
    return later


def _attempt(asked: Message, validate_only: bool, state: State, told: Callable[[Refusal], None]) -> None:
    """What is possible depends on how many there are, so a topic that is growing is waited for."""
    if state.growth.is_growing(asked.name):
        again = partial(_attempt, asked, validate_only, state, told)
        state.growth.afterwards(asked.name, again)
        return
    refusal = _fault(asked, state)
    if refusal is not None or validate_only:
        told(refusal or _DONE)
        return
    topic = state.topics[asked.name]
    state.growth.begin(topic, asked.count, lambda error: told(Refusal(error)))


def _fault(asked: Message, state: State) -> Refusal | None:
    topic = state.topics.get(asked.name)
    if topic is None:
        return Refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    there, name = len(topic.partitions), topic.name
    if asked.count == there:
        return Refusal(ErrorCode.INVALID_PARTITIONS, f"Topic already has {there} partition(s).")
    if asked.count < there:
        text = f"The topic {name} currently has {there} partition(s); {asked.count} would not be an increase."
        return Refusal(ErrorCode.INVALID_PARTITIONS, text)
    if name == CONSUMER_OFFSETS:
        text = f"The partitions of {name} say where a group's offsets are: with more of them offsets would not be found"
        return Refusal(ErrorCode.INVALID_PARTITIONS, text)
    if asked.count - there > MOST_PARTITIONS:
        return Refusal(ErrorCode.POLICY_VIOLATION, "Excessively large number of partitions per request.")
    return None if asked.assignments is None else _assigned(asked, asked.count - there, state)


def _assigned(asked: Message, additional: int, state: State) -> Refusal | None:
    if len(asked.assignments) != additional:
        return Refusal(
            ErrorCode.INVALID_REPLICA_ASSIGNMENT,
            f"Attempted to add {additional} additional partition(s), but only {len(asked.assignments)} assignment(s) "
            "were specified.",
        )
    faults = (assignment_fault(assignment.broker_ids, state) for assignment in asked.assignments)
    return next((fault for fault in faults if fault is not None), None)


def _answer(names: list[str], results: dict[str, Refusal]) -> Reply:
    result = CreatePartitionsResponse.CreatePartitionsTopicResult
    return Reply(
        CreatePartitionsResponse(
            results=[
                result(name=name, error_code=results[name].error, error_message=results[name].message) for name in names
            ]
        )
    )
