"""The commands as a user types them: one project with a broker and a database for all, and the foreground."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.project.commands import LogOptions, down, execute, logs, ps, ps_of_all
from headrace.project.docker import main as docker
from headrace.project.down import stop
from headrace.project.folder import HOME_VARIABLE, ProjectFolder
from headrace.project.select import Selection
from headrace.supervisor.folder import TemporaryFolder
from tests.conftest import free_port
from tests.supervisor.processes import processes_naming, wait_until
from tests.tutorial.terminal import PROMPT, Terminal

pytestmark = pytest.mark.timeout(180)

COMPOSE = """
services:
  broker:
    image: confluentinc/cp-kafka:7.3.0
    ports:
      - {kafka}:9092
    environment:
      KAFKA_BROKER_ID: 1
      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181
      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://broker:29092,PLAINTEXT_HOST://localhost:{kafka}
      KAFKA_LISTENERS: PLAINTEXT://0.0.0.0:29092,PLAINTEXT_HOST://0.0.0.0:9092
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT
      KAFKA_INTER_BROKER_LISTENER_NAME: PLAINTEXT
  zookeeper:
    image: confluentinc/cp-zookeeper:7.3.0
    environment:
      ZOOKEEPER_CLIENT_PORT: 2181
  database:
    image: postgres:14.0
    container_name: postgres-server
    environment:
      POSTGRES_USER: myuser
      POSTGRES_PASSWORD: mypassword
      POSTGRES_DB: mydatabase
  generator:
    build: generator
"""


class Course:
    """A folder with a compose file, and a home for its project."""

    def __init__(self, home: Path) -> None:
        self.home, self.folder = home, home / "course"
        self.folder.mkdir()
        (self.folder / "generator").mkdir()
        (self.folder / "generator" / "Dockerfile").write_text("FROM python:3.11\n")
        (self.folder / "compose.yaml").write_text(COMPOSE.format(kafka=free_port()))
        self.environment = {**os.environ, HOME_VARIABLE: str(home)}

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "headrace", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        with self.start(*arguments) as process:
            shown, _ = process.communicate(timeout=120)
        return process.returncode, shown


def _course() -> Iterator[Course]:
    with TemporaryFolder("headrace-test-") as folder:
        course = Course(folder.path)
        yield course
        stop(ProjectFolder(folder.path / "projects" / "course"))


@pytest.fixture
def course() -> Iterator[Course]:
    yield from _course()


@pytest.fixture(scope="module")
def running() -> Iterator[Course]:
    for course in _course():
        status, shown = course.run("up", "-d")
        assert status == 0, shown
        yield course


@pytest.fixture
def here(running: Course, monkeypatch: pytest.MonkeyPatch) -> Course:
    """The running project, and we in its folder."""
    monkeypatch.setenv(HOME_VARIABLE, str(running.home))
    monkeypatch.chdir(running.folder)
    return running


def test_exec_runs_a_command_with_the_services_names_and_environment(
    here: Course, capfd: pytest.CaptureFixture[str]
) -> None:
    create = ["kafka-topics", "--create", "--topic", "made", "--bootstrap-server", "broker:29092"]
    assert execute(Selection(), ["broker", *create], [], None) == 0
    assert capfd.readouterr().out == "Created topic made.\n"
    assert execute(Selection(), ["broker", "sh", "-c", "echo $KAFKA_BROKER_ID $MORE; pwd"], ["MORE=x"], "/") == 0
    assert capfd.readouterr().out == "1 x\n/\n"


def test_exec_of_psql_needs_neither_port_nor_password(here: Course, capfd: pytest.CaptureFixture[str]) -> None:
    query = ["psql", "-U", "myuser", "-d", "mydatabase", "-tAc", "SELECT current_user, current_database()"]
    assert docker(["compose", "exec", "-T", "database", *query]) == 0
    assert capfd.readouterr().out == "myuser|mydatabase\n"
    assert docker(["exec", "-it", "postgres-server", "pg_isready"]) == 0
    assert "accepting connections" in capfd.readouterr().out


def test_exec_gives_the_commands_own_status(here: Course, capfd: pytest.CaptureFixture[str]) -> None:
    assert execute(Selection(), ["broker", "sh", "-c", "exit 7"], [], None) == 7
    assert execute(Selection(), ["broker", "no-such-program"], [], None) == 127
    assert capfd.readouterr().err == "exec: no-such-program: executable file not found in $PATH\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["brokr", "ls"], "no such service: brokr; there are"),
        (["generator", "ls"], "service generator (course-generator) is a program of your own: run it by itself"),
        (["broker"], "a service and a command would do"),
    ],
)
def test_exec_says_what_would_do(
    here: Course, capfd: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert execute(Selection(), words, [], None) == 1
    assert sentence in capfd.readouterr().err


def test_ps_has_dockers_columns_and_says_what_stands_in(here: Course, capfd: pytest.CaptureFixture[str]) -> None:
    assert docker(["ps"]) == 0
    header, *rows = capfd.readouterr().out.splitlines()
    assert header.split("   ")[0] == "CONTAINER ID" and header.split()[-1] == "NAMES"
    assert {row.split()[-1] for row in rows} == {"postgres-server", "course-broker-1", "course-zookeeper-1"}
    assert any("headrace/postgres (for postgres:14.0)" in row for row in rows)
    assert docker(["ps", "-q"]) == 0
    assert capfd.readouterr().out.split() == [row.split()[0] for row in rows]
    assert ps(Selection((), "course"), False) == 0
    header = capfd.readouterr().out.splitlines()[0]
    assert header.split() == ["NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"]
    assert ps_of_all(False) == 0
    assert capfd.readouterr().out.startswith("CONTAINER ID")


def test_logs_are_shown_by_service(here: Course, capfd: pytest.CaptureFixture[str]) -> None:
    assert logs(Selection(), [], LogOptions(tail="1")) == 0
    shown = capfd.readouterr().out.splitlines()
    assert [line.split("|")[0].strip() for line in shown] == ["broker", "database"]
    assert docker(["compose", "logs", "--no-log-prefix", "--tail", "all", "broker"]) == 0
    assert "headrace broker ready" in capfd.readouterr().out
    assert docker(["logs", "-n", "1", "postgres-server"]) == 0
    assert "|" not in capfd.readouterr().out
    assert logs(Selection(), ["nobody"], LogOptions()) == 1
    assert "no such service: nobody; there are" in capfd.readouterr().err
    assert logs(Selection(), [], LogOptions(tail="few")) == 1
    assert "a number of lines or `all` would do" in capfd.readouterr().err


def test_logs_go_on_until_they_are_interrupted(here: Course) -> None:
    with here.start("logs", "--follow", "broker") as process:
        assert process.stdout is not None and process.stdout.readline().startswith("broker  | ")
        execute(Selection(), ["broker", "kafka-topics", "--list", "--bootstrap-server", "broker:29092"], [], None)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_what_docker_knows_and_we_do_not_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    for words in (["images"], [], ["compose", "build"], ["run", "hello-world"]):
        assert _status(words) == 1
        assert "not Docker: it is headrace's stand-in" in capfd.readouterr().err


def _status(words: list[str]) -> int:
    try:
        return docker(words)
    except SystemExit as ended:
        return int(ended.code or 0)


def test_without_a_project_the_way_to_one_is_said(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert logs(Selection(), [], LogOptions()) == 1
    assert "tell which project with -p NAME or -f FILE; none has been started" in capfd.readouterr().err
    assert logs(Selection((), "nobody"), [], LogOptions()) == 1
    assert "no project nobody has been started" in capfd.readouterr().err
    assert down(Selection((), "Not a name"), False) == 1
    assert "invalid project name 'Not a name'" in capfd.readouterr().err
    assert down(Selection((), "nobody"), False) == 0
    assert capfd.readouterr().out == "nothing of project nobody is running or kept\n"


def test_in_the_foreground_logs_are_shown_until_a_signal_stops_all(course: Course) -> None:
    with course.start("up", "broker") as process:
        assert process.stdout is not None
        shown = []
        for line in process.stdout:
            shown.append(line)
            if line.startswith("ready: broker"):
                process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert any(line.startswith("broker  | headrace broker ready") for line in shown)
    assert not any("database" in line for line in shown)
    assert any("Gracefully stopping" in line for line in shown)
    assert not processes_naming(str(course.home / "projects"))
    assert "Exited (0)" in course.run("ps", "-a")[1]


@pytest.mark.crash
def test_kill_9_of_the_foreground_leaves_no_process(course: Course) -> None:
    with course.start("up", "broker", "database") as process:
        assert process.stdout is not None
        assert any(line.startswith("ready: ") for line in process.stdout)
        process.kill()
    assert wait_until(lambda: not processes_naming(str(course.home / "projects")), 30)


def test_a_faulty_file_starts_nothing_and_each_fault_has_its_sentence(course: Course) -> None:
    file = course.folder / "compose.yaml"
    file.write_text(
        file.read_text().replace("PLAINTEXT://broker", "PLAINTEXT:://broker").replace("    ports", "    port")
    )
    status, shown = course.run("up", "-d")
    assert status == 1
    assert "has one colon too many" in shown and "did you mean ports?" in shown
    assert not (course.home / "projects").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["up"],
            "--data-dir DIR runs a broker, a registry and a Connect worker; -f FILE runs",
        ),
        (["up", "--broker-port", "9192"], "a compose file says its ports itself: give --data-dir, too"),
        (["up", "-d", "--data-dir", "x"], "--data-dir is for the plain servers: leave it out, or -f, -p and -d"),
        (["up", "-f", "no.yaml"], "no.yaml"),
    ],
)
def test_up_says_what_would_do(course: Course, arguments: list[str], sentence: str) -> None:
    (course.folder / "compose.yaml").unlink()
    status, shown = course.run(*arguments)
    assert status == 1 and sentence in shown


def test_a_shell_has_kafkas_commands_and_a_docker(course: Course) -> None:
    status, shown = course.run("shell", "-c", "docker images; which kafka-topics.sh && docker-compose ps; exit 3")
    assert status == 3
    lines = shown.splitlines()
    assert lines[0].startswith("docker images: this is not Docker")
    assert lines[2].startswith("/") and lines[2].endswith("/kafka-topics.sh")
    assert lines[3] == "no project course has been started"
    assert not Path(lines[2]).exists()


def test_a_shell_whose_terminal_goes_away_leaves_nothing(course: Course) -> None:
    variables = {**course.environment, "HOME": str(course.home), "SHELL": "/bin/bash"}
    terminal = Terminal([sys.executable, "-P", "-m", "headrace", "shell"], course.folder, variables)
    terminal.wait_for(PROMPT)
    shims = Path(terminal.run("echo $HEADRACE_SHIMS"))
    assert shims.is_dir()
    terminal.close()
    assert wait_until(lambda: not shims.exists(), 20)


def test_the_terminals_signals_are_for_the_command(here: Course) -> None:
    variables = {**here.environment, "HOME": str(here.home), "SHELL": "/bin/bash"}
    terminal = Terminal([sys.executable, "-P", "-m", "headrace", "shell"], here.folder, variables)
    try:
        terminal.wait_for(PROMPT)
        terminal.type("docker compose exec broker /bin/bash")
        terminal.wait_for(r"\[broker\]\$ $")
        # The job says so itself: a Ctrl-C between a shell's fork and the job's turn at the terminal confuses bash.
        terminal.type("sh -c 'echo begun; exec sleep 60'")
        terminal.wait_for("^begun")
        terminal.press_ctrl_c()
        terminal.wait_for(r"\[broker\]\$ $")
        terminal.type("kafka-topics --list --bootstrap-server broker:29092; exit 5")
        terminal.wait_for(PROMPT)
        assert terminal.status() == 5
    finally:
        terminal.close()
