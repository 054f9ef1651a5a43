"""Our REST interface against the answers of Java's, recorded."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from headrace.kafka_client.kafka_log import LogRecord
from tests.connect import recordings
from tests.connect.rig import Rig, serve, until

CALLS = recordings.rest()
ASKED = [
    call for call in CALLS if call["method"] == "GET" and call["port"] == 28483 and 1795360084 < call["t"] < 1795360086
]
ASKED_AT_MS = 1795360084800
OF_GROUPS = {"/connectors/g-sink/offsets", "/connectors/g-fail/offsets"}
"""These come from consumer groups, which are not in the topics."""


@pytest.fixture(scope="module")
def java_state() -> Iterator[httpx.Client]:
    """A worker that has read the topics that Java's workers wrote."""
    plane = Rig()
    for topic in plane.log.records:
        for record in recordings.records(topic, ASKED_AT_MS):
            plane.log._new.append(LogRecord(topic, record.partition, record.offset, record.key, record.value))
    plane.look_only()
    # The offsets of a source are read by a worker that has joined.
    plane.herder.ask(lambda: setattr(plane.herder, "assignment", object())).result(5)
    with serve(plane) as client:
        yield client
    plane.stop()


def in_any_order(value: Any) -> Any:
    """Lists of topics and offsets have no order in Java's answers."""
    if isinstance(value, dict):
        return {
            key: sorted(each, key=repr) if key in ("topics", "offsets") else in_any_order(each)
            for key, each in value.items()
        }
    return value


@pytest.mark.parametrize(
    "call", [call for call in ASKED if call["path"] not in OF_GROUPS], ids=lambda call: call["path"]
)
def test_what_java_wrote_is_answered_as_java_answered(java_state, call):
    answer = java_state.get(call["path"])
    assert answer.status_code == call["status"]
    theirs, ours = in_any_order(call["response"]), in_any_order(answer.json())
    if call["path"] == "/":
        assert ours["version"] == theirs["version"]
        assert ours.keys() == theirs.keys()
        return
    assert without_traces(ours) == without_traces(theirs)


def without_traces(value: Any) -> Any:
    """The recording has long traces cut, and none where they are empty."""
    if isinstance(value, dict):
        return {key: without_traces(each) for key, each in value.items() if key != "trace"}
    if isinstance(value, list):
        return [without_traces(each) for each in value]
    return value


def settled(plane: Rig, name: str) -> None:
    """Wait until a connector and its tasks are where they shall be."""
    stopped = "stopped" in name
    wanted = 0 if stopped or "paused" in name else 2 if name == "g-multi" else 1
    until(lambda: len(plane.states(name)) == wanted + 1, lambda: f"{name}: {plane.states(name)}")


def shape(value: Any) -> Any:
    """An answer without what differs from worker to worker."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items() if key not in ("worker_id", "version")}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return value


def test_the_recorded_changes_are_answered_as_java_answered_them_one_after_the_other(make_plane, client_of):
    plane = make_plane()
    plane.hosts.task_counts["g-multi"] = 2
    client = client_of(plane.start())
    changes = [call for call in CALLS if call["method"] != "GET" and call["t"] < 1795360090]
    assert len(changes) == 20
    for call in changes:
        answer = client.request(call["method"], call["path"], json=call["body"])
        what = f"{call['method']} {call['path']}: {answer.text}"
        assert answer.status_code == call["status"], what
        if answer.status_code != 204 and call["response"] is not None:
            assert shape(answer.json()) == shape(call["response"]), what
        if answer.status_code == 201:
            name = answer.json()["name"]
            assert answer.headers["Location"] == f"/connectors/{name}"
            settled(plane, name)
        if call["path"].endswith("/stop"):
            name = call["path"].split("/")[2]
            until(lambda name=name: plane.states(name) == ["STOPPED"], lambda name=name: str(plane.states(name)))
    theirs = [record.key.decode() for record in recordings.records("connect-configs")]
    ours = plane.log.keys("connect-configs")
    # That one was paused later, by a request that was not recorded.
    assert set(ours) == set(theirs) - {"target-state-g-late2"}
