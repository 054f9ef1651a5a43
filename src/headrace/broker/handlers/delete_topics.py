"""DeleteTopics (API key 20): take topics away, by name or by id.

Behaviour: a topic is gone for clients once the answer is given, its name free again; its files go after
`file.delete.delay.ms`, in a thread.
Versions: 1-6. 4 flexible; 5 error texts; 6 topic ids.
Not offered: nothing.
"""

from collections import Counter
from functools import partial
from typing import Any

from headrace.broker.dispatch import DELETE_TOPICS, Context, api
from headrace.broker.outcome import Later, Outcome, Reply
from headrace.broker.partition import Topic
from headrace.broker.state import State
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import DeleteTopicsResponse, Message


@api(DELETE_TOPICS, versions=(1, 6))
def handle(request: Message, context: Context, state: State) -> Outcome:
    asked = (
        [(topic.name, topic.topic_id) for topic in request.topics]
        if context.api_version >= 6
        else [(name, None) for name in request.topic_names]
    )
    found = [_find(name, topic_id, state, context.api_version) for name, topic_id in asked]
    counts = Counter(topic.name for topic in found if isinstance(topic, Topic))
    answers, doomed, told = [], [], set()
    for (name, topic_id), topic in zip(asked, found, strict=True):
        if not isinstance(topic, Topic):
            answers.append(topic)
        elif counts[topic.name] > 1:
            if topic.name not in told:
                told.add(topic.name)
                answers.append(_result(name, topic_id, ErrorCode.INVALID_REQUEST, "Duplicate topic name."))
        else:
            answers.append(_result(topic.name, topic.topic_id, ErrorCode.NONE, None))
            doomed.append((topic, answers[-1]))
    reply = Reply(DeleteTopicsResponse(responses=answers))
    return _delete(doomed, reply, context, state) if doomed else reply


def _find(name: str | None, topic_id: Any, state: State, version: int) -> Topic | Message:
    if name is not None and topic_id is not None:
        return _result(name, topic_id, ErrorCode.INVALID_REQUEST, "You may not specify both topic name and topic id.")
    if name is None and topic_id is None:
        return _result(name, topic_id, ErrorCode.INVALID_REQUEST, "Neither topic name nor id were specified.")
    if not state.config.delete_topic_enable:
        error = ErrorCode.TOPIC_DELETION_DISABLED if version >= 3 else ErrorCode.INVALID_REQUEST
        return _result(name, topic_id, error, "Topic deletion is disabled: delete.topic.enable is false.")
    if topic_id is not None:
        unknown = _result(name, topic_id, ErrorCode.UNKNOWN_TOPIC_ID, "This server does not host this topic ID.")
        return state.topics_by_id.get(topic_id) or unknown
    unknown = _result(
        name, None, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "This server does not host this topic-partition."
    )
    return state.topics.get(name or "") or unknown


def _result(name: str | None, topic_id: Any, error: ErrorCode, text: str | None) -> Message:
    return DeleteTopicsResponse.DeletableTopicResult(name=name, topic_id=topic_id, error_code=error, error_message=text)


def _delete(doomed: list[tuple[Topic, Message]], reply: Reply, context: Context, state: State) -> Later:
    later, open_count = Later(), len(doomed)

    def done(answer: Message, error: ErrorCode) -> None:
        nonlocal open_count
        open_count -= 1
        answer.error_code = error
        if open_count == 0:
            later.answer(reply)

    for topic, answer in doomed:
        state.delete_topic(topic, context.now_ms, partial(done, answer))
    return later
