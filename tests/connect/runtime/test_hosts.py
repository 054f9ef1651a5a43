"""The pool of task hosts: real processes, found dead and replaced."""

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from headrace.connect.runtime.hosts import HostDied, HostPool, RequestFailed
from headrace.connect.runtime.messages import TaskId
from headrace.supervisor.watcher import readable
from tests.connect.runtime.recorder import Recorder

SOURCE = {"connector.class": "file-stream-source", "name": "s", "file": "/nowhere", "topic": "t", "tasks.max": "1"}
CONNECTOR = TaskId("s", -1)


def test_a_connector_starts_plans_its_tasks_and_stops(pool: HostPool, heard: Recorder) -> None:
    pool.start_connector("s", SOURCE)
    assert heard.state(CONNECTOR, "RUNNING").version == "1.0"
    (config,) = pool.task_configs("s", 1).result(10)
    assert config["file"] == "/nowhere" and config["task.class"] == "file-stream-sourceTask"
    pool.stop_connector("s")
    heard.state(CONNECTOR, "UNASSIGNED")


def test_a_connector_that_cannot_start_fails_with_the_sentence_first(pool: HostPool, heard: Recorder) -> None:
    pool.start_connector(
        "s", SOURCE | {"connector.fail": "no server at db:5432 (password pw123)", "db.password": "pw123"}
    )
    trace = heard.state(CONNECTOR, "FAILED").trace
    assert trace.splitlines()[0] == "no server at db:5432 (password [hidden])"
    assert "headrace_file_stream.py" in trace and "pw123" not in trace


def test_an_unknown_class_names_what_there_is_and_what_was_meant(pool: HostPool, heard: Recorder) -> None:
    pool.start_connector("s", SOURCE | {"connector.class": "file-stream-sauce"})
    sentence = heard.state(CONNECTOR, "FAILED").trace.splitlines()[0]
    assert "available connectors are: " in sentence and sentence.endswith("did you mean file-stream-source?")


def test_more_tasks_than_allowed_are_refused_with_the_key_to_change(pool: HostPool, heard: Recorder) -> None:
    pool.start_connector("s", SOURCE | {"task.count": "3"})
    with pytest.raises(RequestFailed, match=r"generated 3 tasks, which is greater than 2.*tasks\.max"):
        pool.task_configs("s", 2).result(10)


def test_validation_shows_the_keys_of_the_framework_and_of_the_plug_in(pool: HostPool) -> None:
    answer = pool.validate({**SOURCE, "file": None, "tasks.max": 0}, connect=False).result(20)
    errors = {value["name"]: value["errors"] for _, value in answer.configs if value["errors"]}
    assert answer.connector_type == "source" and answer.groups[:2] == ("Common", "Transforms")
    assert set(errors) == {"file", "tasks.max"}
    assert "no default value" in errors["file"][0] and "at least 1" in errors["tasks.max"][0]


def test_a_transformation_that_there_is_not_is_refused_with_what_was_meant(pool: HostPool) -> None:
    name = "org.apache.kafka.connect.transforms.TimestampConverter"
    types = {"transforms": "a,b,c", "transforms.a.type": name, "transforms.b.type": f"{name}$Value"}
    answer = pool.validate({**SOURCE, **types, "transforms.b.target.type": "what"}, connect=False).result(20)
    errors = {value["name"]: value["errors"] for _, value in answer.configs if value["errors"]}
    assert set(errors) == {"transforms.a.type", "transforms.b.target.type", "transforms.c.type"}
    assert f"did you mean {name}$Value (or $Key)? an unquoted heredoc drops $Value" in errors["transforms.a.type"][0]
    assert "no default value" in errors["transforms.c.type"][0]
    assert "Transforms: b" in answer.groups


def test_a_sink_must_name_its_topics(pool: HostPool) -> None:
    sink = {"connector.class": "FileStreamSink", "name": "k", "file": "/nowhere"}
    answer = pool.validate(sink, connect=False).result(20)
    errors = {value["name"]: value["errors"] for _, value in answer.configs if value["errors"]}
    words = ["Must configure one of topics or topics.regex"]
    assert errors == {"topics": words, "topics.regex": words}


def test_plugins_are_listed_with_type_and_version(pool: HostPool) -> None:
    plugins = pool.plugins().result(20)
    assert {"class": "file-stream-source", "type": "source", "version": "1.0"} in plugins


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("org.apache.kafka.connect.transforms.HoistField$Value", ("field", "STRING", True, None)),
        ("ReplaceField$Key", ("exclude", "LIST", False, "")),
        ("json", ("converter.type", "STRING", True, None)),
        ("TopicNameMatches", ("pattern", "STRING", True, None)),
        ("SimpleHeaderConverter", None),
    ],
)
def test_converters_transformations_and_predicates_tell_their_keys(pool: HostPool, name: str, wanted: Any) -> None:
    keys = pool.definition(name).result(20)
    shown = [(key["name"], key["type"], key["required"], key["default_value"]) for key in keys]
    assert (shown[0] if shown else None) == wanted


def test_a_plugin_that_there_is_not_has_no_keys(pool: HostPool) -> None:
    with pytest.raises(RequestFailed, match=r"Unknown plugin Nothing\."):
        pool.definition("Nothing").result(20)


@pytest.mark.crash
def test_a_killed_host_is_named_with_what_ran_in_it_and_replaced(pool: HostPool, heard: Recorder) -> None:
    pool.start_connector("s", SOURCE)
    heard.state(CONNECTOR, "RUNNING")
    (pid,) = pool.pids()
    os.kill(pid, signal.SIGKILL)
    died = heard.wait(lambda message: isinstance(message, HostDied))
    assert died.pid == pid and died.ids == (CONNECTOR,) and "signal 9" in died.reason
    heard.forget()
    pool.start_connector("s", SOURCE)
    heard.state(CONNECTOR, "RUNNING")
    assert pool.pids() != [pid]


@pytest.mark.crash
def test_a_request_to_a_host_that_dies_is_refused(pool: HostPool, heard: Recorder) -> None:
    pool.start_connector("s", SOURCE)
    heard.state(CONNECTOR, "RUNNING")
    os.kill(pool.pids()[0], signal.SIGSTOP)
    answer = pool.task_configs("s", 1)
    os.kill(pool.pids()[0], signal.SIGKILL)
    with pytest.raises(RequestFailed, match="before it answered"):
        answer.result(10)


def test_the_worker_imports_no_columns_and_no_database() -> None:
    heavy = ("pyarrow", "polars", "psycopg", "numpy", "sqlalchemy")
    code = f"import sys, headrace.connect.runtime.hosts; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.crash
def test_hosts_of_a_killed_worker_exit_by_themselves() -> None:
    code = (
        "import time\n"
        "from headrace.connect.runtime.hosts import HostPool\n"
        "pool = HostPool({}, print)\n"
        "pool.plugins().result(30)\n"
        "print(pool.pids()[0], flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        descriptor = os.pidfd_open(int(worker.stdout.readline()))
        worker.kill()
        try:
            assert readable([descriptor], 5), "the host lives 5 s after its worker was killed"
        finally:
            os.close(descriptor)
