"""`headrace connectors` against a worker's REST interface."""

import io
import json
import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import Result
from rich.console import Console
from typer.testing import CliRunner

from headrace.cli.connectors import app, waiting
from headrace.cli.connectors.screen import show_list
from headrace.cli.connectors.state import ConnectorView, Task, cause, first_sentence, view
from headrace.connect.runtime import messages
from headrace.connect.runtime.messages import LogLine, TaskId
from tests.conftest import free_port
from tests.connect.conftest import client_of, make_plane, plane  # noqa: F401
from tests.connect.rig import FILE_SOURCE, Rig, until

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _soon_steady(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "STEADY_S", 0.1)
    monkeypatch.setattr(waiting, "POLL_S", 0.02)
    monkeypatch.delenv("CONNECT_URL", raising=False)


@pytest.fixture
def run(plane: Rig, client_of) -> Run:  # noqa: F811
    """Runs a command against the worker."""
    url = str(client_of(plane).base_url)
    return lambda *arguments: CliRunner().invoke(app, ["--url", url, *arguments])


def fail(rig: Rig, name: str, trace: str, task: int = 0) -> None:
    rig.hosts.tell(messages.StateChanged(TaskId(name, task), "FAILED", trace))
    rig.wait_for(name, "RUNNING", "FAILED")


def write(tmp_path: Path, name: str, content: dict[str, object]) -> str:
    (tmp_path / name).write_text(json.dumps(content))
    return str(tmp_path / name)


CONFIG = {"connector.class": FILE_SOURCE, "file": "/tmp/x", "topic": "t", "connection.password": "mypassword"}


def test_the_list_has_a_line_a_connector_and_the_first_sentence_of_what_failed(run, plane):  # noqa: F811
    plane.create("works")
    plane.create("broken")
    plane.wait_for("works", "RUNNING", "RUNNING")
    fail(plane, "broken", "Table a.b is not there. Create it\nTraceback (most recent call last)\n  at x")
    for shown in (run(), run("list")):
        assert shown.exit_code == 0
        heads, *rows = [re.split(r"\s{2,}", line) for line in shown.stdout.splitlines()]
        assert heads == ["NAME", "TYPE", "STATE", "TASKS", "ERROR"]
        assert rows == [
            ["broken", "source", "RUNNING", "1 failed", "Table a.b is not there"],
            ["works", "source", "RUNNING", "1 running"],
        ]


def test_the_list_as_json_has_every_task_with_its_cause(run, plane):  # noqa: F811
    plane.create("c")
    plane.wait_for("c", "RUNNING", "RUNNING")
    fail(plane, "c", "no\nat all")
    (shown,) = json.loads(run("list", "--json").stdout)
    assert shown["class"] == FILE_SOURCE
    assert shown["tasks"] == [{"id": 0, "state": "FAILED", "worker_id": "me:8083", "error": "no"}]
    assert shown["error"] == "no"


def test_without_connectors_the_list_says_how_to_make_one(run):
    assert "headrace connectors create FILE" in run().stdout
    assert json.loads(run("list", "--json").stdout) == []


def test_on_a_terminal_states_are_coloured_and_elsewhere_nothing_is():
    one = ConnectorView("c", "sink", "FAILED", "w:1", (Task(0, "FAILED", "w:1", "It broke. Mend it"),))
    terminal, pipe = io.StringIO(), io.StringIO()
    show_list(Console(file=terminal, force_terminal=True, color_system="standard", width=60), [one])
    show_list(Console(file=pipe, soft_wrap=True), [one])
    assert "\x1b[1;31mFAILED" in terminal.getvalue()
    assert "\x1b" not in pipe.getvalue()
    assert pipe.getvalue().splitlines()[1].endswith("1 failed  It broke")


def test_on_a_narrow_terminal_a_name_stays_whole_and_the_error_takes_more_lines():
    name, text = "postgres-source-connector", "Table public.iris_data is not there in targetdatabase"
    one = ConnectorView(name, "sink", "RUNNING", "w:1", (Task(0, "FAILED", "w:1", text),))
    terminal = io.StringIO()
    show_list(Console(file=terminal, force_terminal=True, color_system=None, width=70), [one])
    lines = terminal.getvalue().splitlines()
    assert lines[1].startswith(f"{name}  sink  RUNNING  1 failed  Table")
    assert "".join("".join(line.split()) for line in lines).endswith("targetdatabase")


def test_create_waits_until_the_tasks_run_and_says_so(run, plane, tmp_path):  # noqa: F811
    plane.hosts.task_counts["c"] = 2
    file = write(tmp_path, "c.json", {"name": "c", "config": {**CONFIG, "tasks.max": 2}})
    done = run("create", file)
    assert (done.exit_code, done.stdout) == (0, "c is running: 2 tasks\n")
    again = run("create", file)
    assert again.exit_code == 1
    assert "Connector c already exists" in again.stderr
    assert run("create", file, "--replace").stdout == "c is running: 2 tasks\n"


def test_create_takes_properties_and_an_initial_state(run, tmp_path):
    (tmp_path / "c.properties").write_text("".join(f"{key}={value}\n" for key, value in CONFIG.items()) + "name=c\n")
    assert run("create", str(tmp_path / "c.properties")).stdout == "c is running: 1 task\n"
    file = write(tmp_path, "s.json", {"name": "s", "config": CONFIG, "initial_state": "STOPPED"})
    assert run("create", file).stdout == "s is stopped\n"


def test_create_tells_what_failed_by_its_cause_and_ends_with_status_1(run, plane, tmp_path):  # noqa: F811
    plane.hosts.fails["c"] = "The password of u is wrong. Set connection.password\n  File x"
    done = run("create", write(tmp_path, "c.json", {"name": "c", **CONFIG}))
    assert done.exit_code == 1
    assert done.stderr == "FAILED: the connector c: The password of u is wrong. Set connection.password\n"


def test_create_names_a_faulty_file_and_a_refused_config(run, tmp_path):
    none = run("create", str(tmp_path / "none.json"))
    assert none.exit_code == 1
    assert "none.json cannot be read: No such file" in none.stderr
    refused = run("create", write(tmp_path, "c.json", {"name": "c", **CONFIG, "mode": "wrong"}))
    assert refused.exit_code == 1
    assert "Invalid value wrong for configuration mode" in refused.stderr


def test_a_wait_that_takes_too_long_ends_with_where_to_look(run, plane, tmp_path):  # noqa: F811
    plane.hosts.task_counts["c"] = 0
    done = run("create", write(tmp_path, "c.json", {"name": "c", **CONFIG}), "--timeout", "0.3")
    assert done.exit_code == 1
    assert "c is not running after 0.3 s. See: headrace connectors show c" in done.stderr


def test_pause_resume_stop_and_delete_wait_and_say_what_is_so(run, plane):  # noqa: F811
    plane.create("c")
    plane.wait_for("c", "RUNNING", "RUNNING")
    assert run("pause", "c").stdout == "c is paused: 1 task\n"
    assert plane.states("c") == ["PAUSED", "PAUSED"]
    assert run("resume", "c").stdout == "c is running: 1 task\n"
    assert run("stop", "c").stdout == "c is stopped\n"
    assert plane.states("c") == ["STOPPED"]
    assert run("delete", "c").stdout == "c is deleted; its offsets stay\n"
    assert plane.connectors.names().result(5) == []


def test_a_restart_brings_a_failed_task_back(run, plane):  # noqa: F811
    plane.create("c")
    plane.wait_for("c", "RUNNING", "RUNNING")
    for arguments in (["c"], ["c", "--only-failed"], ["c", "--task", "0"]):
        fail(plane, "c", "no")
        assert run("restart", *arguments).stdout == "c is running: 1 task\n"
    assert plane.hosts.log.count("start c-0") == 4
    assert run("restart", "c", "--task", "7").exit_code == 1


@pytest.mark.parametrize("command", ["show", "restart", "pause", "resume", "stop", "delete", "log"])
def test_a_connector_that_is_not_there_is_told_with_those_that_are(run, plane, command):  # noqa: F811
    assert "There is no connector x" in run(command, "x").stderr
    plane.create("c")
    done = run(command, "x")
    assert done.exit_code == 1
    assert done.stderr.endswith("; there are: c\n")


def test_show_has_tasks_topics_and_config_but_no_password(run, plane):  # noqa: F811
    plane.connectors.put("c", {**CONFIG, "name": "c"}).result(5)
    plane.wait_for("c", "RUNNING", "RUNNING")
    plane.hosts.tell(messages.TopicUsed("c", "t"))
    fail(plane, "c", "Table a.b is not there. Create it\nTraceback")
    until(lambda: plane.connectors.topics("c").result(5)["c"]["topics"] == ["t"], lambda: "no topic")
    shown = run("show", "c").stdout
    assert f"c (source, {FILE_SOURCE}): RUNNING" in shown
    assert re.search(r"0 +FAILED +me:8083 +Table a\.b is not there\. Create it\n", shown)
    assert re.search(r"topics used +t\n", shown)
    assert re.search(r"connection\.password +\*{8}\n", shown)
    assert "mypassword" not in shown + run("show", "c", "--json").stdout


def test_the_log_shows_the_last_lines_of_a_connector(run, plane):  # noqa: F811
    plane.create("c")
    for number in range(3):
        plane.logs.add(LogLine("c", 1_000.25 + number, "INFO", "task-c-0", "x", f"line {number}"))
    assert [line.split(maxsplit=1)[1] for line in run("log", "c", "-n", "2").stdout.splitlines()] == [
        "INFO    line 1",
        "INFO    line 2",
    ]
    assert json.loads(run("log", "c", "--json").stdout)[0]["text"] == "line 0"


def test_the_log_names_a_worker_that_does_not_answer(run, plane):  # noqa: F811
    plane.create("c")
    plane.wait_for("c", "RUNNING", "RUNNING")
    plane.logs.add(LogLine("c", 1_000, "INFO", "task-c-0", "x", "here"))
    plane.worker_id = "another:8083"
    done = run("log", "c")
    assert "the worker me:8083 did not answer" in done.stderr
    assert done.stdout.endswith("here\n")


def test_a_worker_that_does_not_answer_is_told_with_the_fix(monkeypatch):
    url = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("CONNECT_URL", url)
    for arguments in ([], ["list"], ["create", __file__], ["log", "c"]):
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 1
    done = CliRunner().invoke(app, ["list"])
    assert f"No Connect worker answers at {url} " in done.stderr
    assert "`headrace up`" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("url", ["localhost:8083", "ftp://x", "http://", "http://x:port"])
def test_a_url_that_is_none_is_named(url):
    done = CliRunner().invoke(app, ["list", "--url", url])
    assert done.exit_code == 1
    assert f"--url {url}: write it as http://host:port" in done.stderr


def test_names_of_compose_files_are_found_by_the_address_book(plane, client_of, monkeypatch):  # noqa: F811
    port = client_of(plane).base_url.port
    monkeypatch.setenv("HEADRACE_HOSTS", f"connect:8083=127.0.0.1:{port}")
    assert CliRunner().invoke(app, ["list", "--url", "http://connect:8083"]).exit_code == 0


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def web_page() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_another_server_is_not_taken_for_a_worker(web_page):
    done = CliRunner().invoke(app, ["list", "--url", web_page])
    assert f"What answers at {web_page} is no Connect worker" in done.stderr


@pytest.mark.parametrize(
    ("trace", "shown"),
    [
        ("", ""),
        ("The port 5432 is closed. Start the server\nmore", "The port 5432 is closed. Start the server"),
        ("org.apache.kafka.connect.errors.ConnectException: Bad thing\n\tat a.B.c(B.java:1)", "Bad thing"),
        ("a.b.CException: x\n\tat y\nCaused by: d.EException: outer\n\tat z\nCaused by: f.GError: inner", "inner"),
        ("java.lang.NullPointerException\n\tat a.B.c(B.java:1)", "java.lang.NullPointerException"),
    ],
)
def test_the_cause_is_the_line_that_says_what_is_wrong(trace, shown):
    assert cause(trace) == shown


def test_a_sentence_does_not_end_in_a_name():
    assert first_sentence("Table public.iris of 10.0.0.1 is not there. Create it. Or not") == (
        "Table public.iris of 10.0.0.1 is not there"
    )


def status(*states: str) -> ConnectorView:
    own, *tasks = [{"state": state, "worker_id": "w", "id": number - 1} for number, state in enumerate(states)]
    return view({"name": "c", "type": "sink", "connector": own, "tasks": tasks})


@pytest.mark.parametrize(
    ("seen", "last"),
    [
        ([None, status("RUNNING"), status("RUNNING", "RUNNING")], ("RUNNING", "RUNNING")),
        ([status("RUNNING", "FAILED"), status("RUNNING", "RESTARTING"), status("RUNNING", "RUNNING")], None),
        ([status("RUNNING", "RUNNING"), status("RUNNING", "FAILED")], ("RUNNING", "FAILED")),
        ([status("RUNNING", "UNASSIGNED")], "timeout"),
        ([status("RUNNING")], ("RUNNING",)),
    ],
)
def test_a_state_is_told_only_when_it_stays(seen, last, monkeypatch):
    """Without that a restart would tell the failure that it mends, and a start miss that of the first work."""
    monkeypatch.setattr(waiting, "STEADY_S", 1.0)
    monkeypatch.setattr(waiting, "POLL_S", 0.5)
    now = [0.0]
    looks = iter(seen)
    current = [seen[0]]

    def look() -> ConnectorView | None:
        current[0] = next(looks, current[0])
        return current[0]

    told = waiting.settled(look, "RUNNING", 20, lambda: now[0], lambda seconds: now.__setitem__(0, now[0] + seconds))
    if last == "timeout":
        assert told is None
    else:
        assert told == seen[-1]
