"""The fold over the status topic, held against what Java's Connect wrote and answered."""

import orjson
import pytest

from headrace.connect.runtime.messages import TaskId
from headrace.connect.stores import status
from headrace.connect.stores.status import Status, StatusState, TopicUse
from tests.connect import recordings

ASKED_AT_MS = 1795360084800
"""When Java was asked for the states that `rest.json` holds; later records are the workers' shutdown."""


def folded(until_ms: int | None = None) -> StatusState:
    state = StatusState()
    for record in recordings.records("connect-status", until_ms):
        state.apply(record.key, record.value)
    return state


def test_states_are_those_that_java_answers():
    answer = recordings.rest_answer("GET", "/connectors?expand=info&expand=status")
    state = folded(ASKED_AT_MS)
    for name, expanded in answer.items():
        shown = expanded["status"]
        ours = state.get(TaskId(name, -1))
        assert ours is not None
        assert (ours.state, ours.worker_id, ours.version) == tuple(
            shown["connector"][key] for key in ("state", "worker_id", "version")
        )
        tasks = [state.get(id) for id in state.tasks(name)]
        assert [(task.state, task.trace or None) for task in tasks if task] == [
            (task["state"], task.get("trace")) for task in shown["tasks"]
        ]


@pytest.mark.parametrize("connector", ["g-src", "g-multi", "g-file", "g-sink", "g-init-stopped", "g-fail"])
def test_topics_are_those_that_java_answers(connector):
    answer = recordings.rest_answer("GET", f"/connectors/{connector}/topics")[connector]["topics"]
    assert sorted(folded(ASKED_AT_MS).topics(connector)) == sorted(answer)


def rewritten(key: bytes, value: bytes | None) -> status.Record:
    name, content = key.decode(), orjson.loads(value or b"null")
    if name.startswith(status.TOPIC):
        topic, _, connector = name.removeprefix(status.TOPIC).partition(status.SEPARATOR)
        if content is None:
            return status.topic_tombstone(connector, topic)
        fields = content["topic"]
        return status.topic_record(
            TopicUse(fields["name"], fields["connector"], fields["task"], fields["discoverTimestamp"])
        )
    if name.startswith(status.CONNECTOR):
        id = TaskId(name.removeprefix(status.CONNECTOR), -1)
    else:
        connector, _, number = name.removeprefix(status.TASK).rpartition("-")
        id = TaskId(connector, int(number))
    return status.status_record(id, content and Status(**content))


@pytest.mark.parametrize("cluster", ["connect", "eager", "compatible"])
def test_every_record_is_written_as_java_wrote_it_byte_for_byte(cluster):
    for record in recordings.records(f"{cluster}-status"):
        assert rewritten(record.key, record.value) == (record.key, record.value)


def apply(state: StatusState, record: status.Record) -> None:
    state.apply(*record)


def test_an_unassigned_that_comes_late_does_not_hide_a_running_task():
    state, id = StatusState(), TaskId("c", 0)
    apply(state, status.status_record(id, Status("RUNNING", "new", 5)))
    apply(state, status.status_record(id, Status("UNASSIGNED", "old", 4)))
    assert state.get(id) == Status("RUNNING", "new", 5)
    apply(state, status.status_record(id, Status("UNASSIGNED", "new", 6)))
    assert state.get(id) == Status("UNASSIGNED", "new", 6)


def test_the_tombstone_of_a_connector_takes_its_tasks_along():
    state = StatusState()
    for task in (-1, 0, 1):
        apply(state, status.status_record(TaskId("c", task), Status("RUNNING", "w", 1)))
    apply(state, status.status_record(TaskId("c", -1), None))
    assert state.connectors() == set()


def test_a_record_that_makes_no_sense_is_skipped(caplog):
    state = StatusState()
    for key in (b"status-task-c-x", b"status-connector-c", b"status-topic-t", b"what", None):
        state.apply(key, b'{"state":1}')
    assert state.connectors() == set()
    assert "status-task-c-x" in caplog.text
