"""The fold over the config topic, held against what Java's Connect wrote and answered."""

import orjson
import pytest

from headrace.connect.runtime.messages import TaskId
from headrace.connect.stores import config
from headrace.connect.stores.config import ConfigState, RestartRequest, SessionKey, TargetState
from tests.connect import recordings

CLUSTERS = ["connect", "eager", "compatible"]


def folded(cluster: str = "connect") -> ConfigState:
    state = ConfigState()
    for record in recordings.records(f"{cluster}-configs"):
        state.apply(record.offset, record.key, record.value)
    return state


def write(state: ConfigState, *records: config.Record) -> list[config.Update | None]:
    return [state.apply(state.offset if state.offset >= 0 else 0, key, value) for key, value in records]


def test_the_connectors_are_those_that_java_lists():
    listed = recordings.rest_answer("GET", "/connectors?expand=info&expand=status")
    state = folded()
    assert set(state.connectors) == set(listed)
    assert {name: info["info"]["config"] for name, info in listed.items()} == state.connectors


def test_the_tasks_are_those_that_java_lists():
    state = folded()
    for name in state.connectors:
        listed = recordings.rest_answer("GET", "/connectors?expand=info&expand=status")[name]["info"]["tasks"]
        assert [(id.connector, id.task) for id in state.tasks(name)] == [(t["connector"], t["task"]) for t in listed]


def test_task_configs_are_those_that_java_answers():
    answer = recordings.rest_answer("GET", "/connectors/g-multi/tasks")
    state = folded()
    assert [state.task_configs[id] for id in state.tasks("g-multi")] == [task["config"] for task in answer]


def test_target_states_read_stopped_from_the_newer_field():
    state = folded()
    assert state.target_state("g-src") is TargetState.STOPPED
    assert state.target_state("g-multi") is TargetState.PAUSED
    assert state.target_state("g-late2") is TargetState.STARTED
    assert state.target_state("g-file") is TargetState.STARTED


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_the_offset_is_the_one_behind_the_last_record(cluster):
    last = list(recordings.records(f"{cluster}-configs"))[-1]
    assert folded(cluster).offset == last.offset + 1


def rewritten(key: bytes, value: bytes | None) -> config.Record:
    """The record that our functions make of the content of Java's."""
    name, content = key.decode(), orjson.loads(value or b"null")
    if name == config.SESSION_KEY:
        state = ConfigState()
        state.apply(0, key, value)
        assert state.session_key is not None
        return config.session_key_record(state.session_key)
    prefix = next(
        p
        for p in (config.TARGET_STATE, config.RESTART, config.CONNECTOR, config.TASK, config.COMMIT, config.LOGGER)
        if name.startswith(p)
    )
    rest = name.removeprefix(prefix)
    match prefix:
        case config.TARGET_STATE:
            return config.target_state_record(rest, content and TargetState(content["state.v2"]))
        case config.RESTART:
            return config.restart_record(RestartRequest(rest, content["only-failed"], content["include-tasks"]))
        case config.CONNECTOR:
            return config.connector_record(rest, content and content["properties"])
        case config.TASK:
            connector, _, number = rest.rpartition("-")
            return config.task_record(TaskId(connector, int(number)), content["properties"])
        case config.COMMIT:
            return config.commit_record(rest, content["tasks"])
    return config.logger_record(rest, content["level"])


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_every_record_is_written_as_java_wrote_it_byte_for_byte(cluster):
    for record in recordings.records(f"{cluster}-configs"):
        assert rewritten(record.key, record.value) == (record.key, record.value)


def test_the_order_of_stop_create_and_delete_is_that_of_java():
    keys = [record.key for record in recordings.records("connect-configs")]

    def position(key: str) -> int:
        return keys.index(key.encode())

    created = [key for key, _ in config.create_records("g-init-stopped", {}, TargetState.STOPPED)]
    assert created == keys[position("target-state-g-init-stopped") : position("connector-g-init-stopped") + 1]
    deleted = [key for key, _ in config.delete_records("g-gone")]
    assert deleted == keys[33:35]
    tasks = [key for key, _ in config.task_records("g-multi", [{}, {}])]
    assert tasks == keys[position("task-g-multi-0") : position("commit-g-multi") + 1]


def test_task_configs_wait_for_their_commit():
    state = ConfigState()
    records = config.task_records("c", [{"n": "0"}, {"n": "1"}])
    write(state, config.connector_record("c", {"a": "1"}), *records[:-1])
    assert state.tasks("c") == []
    assert write(state, records[-1]) == [config.TasksUpdated("c", (TaskId("c", 0), TaskId("c", 1)))]
    assert state.tasks("c") == [TaskId("c", 0), TaskId("c", 1)]
    assert state.applied["c"] == {"a": "1"}


def test_a_commit_that_names_more_tasks_than_are_known_makes_the_connector_inconsistent():
    state = ConfigState()
    write(state, config.connector_record("c", {}), config.task_record(TaskId("c", 0), {}), config.commit_record("c", 2))
    assert state.inconsistent == {"c"}
    assert state.tasks("c") == []
    write(state, *config.task_records("c", [{}, {}]))
    assert state.inconsistent == set()
    assert len(state.tasks("c")) == 2


def test_task_configs_of_a_deleted_connector_are_ignored():
    state = ConfigState()
    write(state, *config.task_records("gone", [{}]))
    assert state.task_counts == {}
    assert write(state, config.connector_record("gone", {})) == [config.ConnectorUpdated("gone", new=True)]
    assert state.tasks("gone") == []


def test_a_deleted_connector_leaves_nothing_behind():
    state = ConfigState()
    write(state, *config.create_records("c", {}, TargetState.PAUSED), *config.task_records("c", [{}]))
    assert config.ConnectorRemoved("c") in write(state, *config.delete_records("c"))
    assert (state.connectors, state.target_states, state.task_configs, state.task_counts) == ({}, {}, {}, {})


def test_a_target_state_that_does_not_change_is_no_update():
    state = ConfigState()
    write(state, config.connector_record("c", {}))
    assert write(state, config.target_state_record("c", TargetState.PAUSED)) == [config.TargetStateChanged("c")]
    assert write(state, config.target_state_record("c", TargetState.PAUSED)) == [None]


def test_a_record_that_makes_no_sense_is_skipped_and_the_offset_goes_on(caplog):
    state = ConfigState()
    nonsense = [(b"connector-c", b"nope"), (b"task-c-x", b"{}"), (b"huh", b"{}"), (b"commit-c", b"[]"), (None, None)]
    for offset, (key, value) in enumerate(nonsense):
        assert state.apply(offset, key, value) is None
    assert state.offset == len(nonsense)
    assert "connector-c" in caplog.text


def test_a_session_key_is_not_printed():
    assert "secret" not in repr(SessionKey(b"secret", "HmacSHA256", 1))
