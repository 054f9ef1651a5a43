"""Projects as they run: real servers under a supervisor of their own."""

import http.client
import json
import os
import signal
import socket
from pathlib import Path

import psycopg
import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from headrace.compose.plan import Volume
from headrace.config.addresses import AddressBook
from headrace.project.down import down
from headrace.project.folder import ProjectFolder
from headrace.project.state import Status, view
from headrace.project.up import Refused
from tests.conftest import free_port
from tests.project.conftest import Project
from tests.project.plans import broker, connect, foreign, plan, postgres, zookeeper
from tests.supervisor.processes import is_alive, processes_naming, wait_until

pytestmark = pytest.mark.timeout(180)


def topics(port: int) -> set[str]:
    return set(AdminClient({"bootstrap.servers": f"localhost:{port}"}).list_topics(timeout=10).topics)


def create_topic(port: int, name: str) -> None:
    admin = AdminClient({"bootstrap.servers": f"localhost:{port}"})
    admin.create_topics([NewTopic(name, 1, 1)])[name].result(10)


def get(port: int, path: str) -> object:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def pid(project: Project, service: str) -> int:
    state = view(project.folder)
    found = None if state is None else state.service(service)
    assert found is not None and found.pid is not None
    return found.pid


def status(project: Project, service: str) -> Status | None:
    state = view(project.folder)
    found = None if state is None else state.service(service)
    return None if found is None else found.status


def dsn(port: int, password: str = "mypassword") -> str:
    return f"postgresql://myuser:{password}@127.0.0.1:{port}/mydatabase"


def test_a_project_runs_what_its_files_name_and_down_leaves_nothing(home: Path) -> None:
    kafka, rest, database = free_port(), free_port(), free_port()
    services = (zookeeper(), broker(kafka), connect(rest), postgres("postgres-server", database), foreign("generator"))
    project = Project(plan(*services))
    assert project.said == [
        "generator: left to you",
        " Container zookeeper  Not needed",
        " Container broker  Started",
        " Container connect  Started",
        " Container postgres-server  Started",
        " Container generator  Left to you",
    ]
    assert "docker-connect-configs" in topics(kafka)
    assert get(rest, "/connectors") == []
    with psycopg.connect(dsn(database)) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == ("myuser", "mydatabase")
    book = AddressBook.parse(project.folder.book())
    assert book.resolve("postgres-server", 5432) == ("127.0.0.1", database)
    assert book.resolve("connect", 8083) == ("127.0.0.1", rest)
    assert book.resolve("broker", 29092) == book.resolve("broker", 9092) != ("127.0.0.1", kafka)

    said: list[str] = []
    assert down(project.folder, volumes=True, say=said.append)
    assert said == [" Container broker  Removed", " Container connect  Removed", " Container postgres-server  Removed"]
    assert not project.folder.path.exists()
    assert not processes_naming(str(project.folder.path))


def test_up_again_leaves_alone_what_is_as_wanted_and_recreates_what_has_changed(home: Path) -> None:
    kafka, database = free_port(), free_port()
    project = Project(plan(broker(kafka), postgres("db", database)))
    before = {name: pid(project, name) for name in ("broker", "db")}
    project.up(plan(broker(kafka), postgres("db", database)))
    assert project.said == [" Container broker  Running", " Container db  Running"]
    project.up(plan(broker(kafka, **{"num.partitions": "3"}), postgres("db", database)))
    assert project.said == [" Container broker  Recreated", " Container db  Running"]
    assert pid(project, "db") == before["db"]
    assert pid(project, "broker") != before["broker"]
    # Another file of the same project: what runs from the first goes on.
    project.up(plan(postgres("other", free_port())))
    assert project.said[0] == "broker, db: not in these files, but of this project: left as they are"
    assert pid(project, "db") == before["db"]


def test_a_server_of_a_later_project_is_found_by_name(home: Path) -> None:
    first = Project(plan(broker(free_port()), name="first"))
    assert AddressBook.parse(first.folder.book()).resolve("target", 5432) == ("target", 5432)
    port = free_port()
    Project(plan(postgres("target", port), name="second"))
    assert AddressBook.parse(first.folder.book()).resolve("target", 5432) == ("127.0.0.1", port)


def test_a_database_is_made_with_its_scripts_once(home: Path, tmp_path: Path) -> None:
    (tmp_path / "1.sql").write_text("CREATE TABLE iris (id int); INSERT INTO iris VALUES (1);")
    (tmp_path / "2.sh").write_text('psql -c "INSERT INTO iris VALUES (2)" && echo "from $POSTGRES_USER"')
    port = free_port()
    volume = Volume("volume", "rows", "/var/lib/postgresql/data")
    service = postgres("db", port, (tmp_path / "1.sql", tmp_path / "2.sh"), volumes=(volume,))
    project = Project(plan(service))
    assert "from myuser" in project.folder.log("db").read_text()
    for volumes, rows in ((False, [1, 2]), (True, [1, 2])):
        with psycopg.connect(dsn(port)) as connection:
            assert [row[0] for row in connection.execute("SELECT id FROM iris ORDER BY id")] == rows
        down(project.folder, volumes, print)
        project.up(plan(service))


def test_a_script_that_fails_is_named_with_the_servers_words(home: Path, tmp_path: Path) -> None:
    script = tmp_path / "bad.sql"
    script.write_text("SELECT no_such_function();")
    with pytest.raises(Refused, match=r"db: db: .*bad\.sql ended with status 3(?s:.*)no_such_function"):
        Project(plan(postgres("db", free_port(), (script,))))


def test_without_a_password_everybody_may_log_in(home: Path) -> None:
    port = free_port()
    Project(plan(postgres("db", port, password="")))
    with psycopg.connect(dsn(port, "whatever")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_down_keeps_a_named_volume_and_drops_the_rest(home: Path) -> None:
    port = free_port()
    kept = plan(broker(port, (Volume("volume", "log", "/var/lib/kafka/data"),)))
    project = Project(kept)
    create_topic(port, "kept")
    down(project.folder, False, print)
    project.up(kept)
    assert "kept" in topics(port)
    down(project.folder, False, print)
    said: list[str] = []
    assert down(project.folder, True, said.append)
    assert said == [" Volume course_log  Removed"] and not project.folder.path.exists()
    assert not down(project.folder, True, print)
    bound = plan(broker(port, (Volume("bind", "./log", "/var/lib/kafka/data"),)))
    project.up(bound)
    down(project.folder, True, print)
    assert (project.folder.path / "bound" / "broker" / "data").is_dir()
    project.up(plan(broker(port)))
    create_topic(port, "dropped")
    down(project.folder, False, print)
    project.up(plan(broker(port)))
    assert topics(port) == set()


@pytest.mark.crash
def test_a_server_that_is_killed_is_brought_back_and_its_log_says_so(home: Path) -> None:
    port = free_port()
    project = Project(plan(broker(port)))
    killed = pid(project, "broker")
    os.kill(killed, signal.SIGKILL)
    assert wait_until(lambda: status(project, "broker") == Status.RUNNING and pid(project, "broker") != killed, 20)
    state = view(project.folder)
    assert state is not None and state.services[0].restarts == 1
    assert "broker was killed by SIGKILL; it is started again in 0.2 s" in project.folder.log("broker").read_text()
    assert wait_until(lambda: _answers(port), 20)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.crash
def test_kill_9_of_the_supervisor_leaves_no_orphan_and_the_truth_is_told(home: Path) -> None:
    kafka, database = free_port(), free_port()
    wanted = plan(broker(kafka), postgres("db", database))
    project = Project(wanted)
    servers = [pid(project, "broker"), pid(project, "db")]
    project.kill_supervisor()
    assert wait_until(lambda: not any(is_alive(server) for server in servers), 20)
    assert project.folder.wait_ended(10)
    assert (status(project, "broker"), status(project, "db")) == (Status.EXITED, Status.EXITED)
    project.up(wanted)
    assert project.said == [" Container broker  Started", " Container db  Started"]
    project.kill_supervisor()
    project.up(wanted)  # at once: it waits for what is just ending
    assert project.said == [" Container broker  Started", " Container db  Started"]
    project.kill_supervisor()
    assert down(project.folder, True, print)
    assert not processes_naming(str(project.folder.path))


def test_a_server_that_does_not_start_is_named_and_the_others_run(home: Path) -> None:
    with pytest.raises(Refused, match=r"connect: connect ended with status 1(?s:.*)group\.id"):
        Project(plan(postgres("db", free_port()), connect(free_port(), **{"group.id": ""})))
    state = view(ProjectFolder.named("course"))
    assert state is not None
    assert [(it.name, it.status) for it in state.services] == [("db", Status.RUNNING), ("connect", Status.EXITED)]


def test_a_taken_port_is_refused_with_who_has_it(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Refused, match=rf'port {port} of broker is taken by process {os.getpid()} \(.*"\d+:9092"'):
            Project(plan(broker(port), postgres("db", free_port())))
    assert not list(home.glob("projects/course/*"))


def test_a_port_of_another_project_is_refused_with_the_command_that_frees_it(home: Path) -> None:
    port = free_port()
    Project(plan(broker(port), name="first"))
    with pytest.raises(Refused, match=r"taken by project first: stop it with `headrace down -p first`"):
        Project(plan(broker(port), name="second"))


def test_a_port_that_two_services_publish_is_refused(home: Path) -> None:
    port = free_port()
    with pytest.raises(Refused, match=rf"two and one both publish port {port}"):
        Project(plan(postgres("one", port), postgres("two", port)))


@pytest.mark.crash
@pytest.mark.parametrize("victim", ["watcher", "postmaster"])
def test_a_database_that_is_killed_comes_back_with_its_rows(home: Path, victim: str) -> None:
    port = free_port()
    project = Project(plan(postgres("db", port)))
    with psycopg.connect(dsn(port), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS id")
    watcher = pid(project, "db")
    cluster = project.folder.service("db") / "postgres" / "cluster"
    postmaster = int((cluster / "postmaster.pid").read_text().split()[0])
    os.kill(watcher if victim == "watcher" else postmaster, signal.SIGKILL)
    assert wait_until(lambda: not is_alive(postmaster), 20)
    assert wait_until(lambda: _has_row(port), 60), project.folder.log("db").read_text()[-3000:]


def _has_row(port: int) -> bool:
    try:
        with psycopg.connect(dsn(port), connect_timeout=5) as connection:
            return connection.execute("SELECT id FROM kept").fetchone() == (1,)
    except psycopg.OperationalError:
        return False
