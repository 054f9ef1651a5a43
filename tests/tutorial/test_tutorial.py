"""The course's chapter on Kafka, typed as it stands into `headrace shell`: with its misprints, then corrected.

What a student does beside it is done here, too: to end kcat and the consumers, and to fill the source table, which the
course's generator does.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from headrace.project.folder import HOME_VARIABLE
from headrace.supervisor.folder import TemporaryFolder
from headrace.supervisor.ready import is_free
from tests.conftest import missing, need
from tests.supervisor.processes import processes_naming, wait_until
from tests.tutorial.terminal import PROMPT, Terminal

pytestmark = pytest.mark.timeout(600)

FILES = Path(__file__).with_name("files")
PORTS = (9092, 8081, 8083, 5432, 5433)
PORTS_S = 30.0
"""How long a demo that is just ending may still have them."""

SOURCE = "postgresql://myuser:mypassword@localhost:5432/mydatabase"
TARGET = "postgresql://targetuser:targetpw@localhost:5433/targetdatabase"
STATUS = "curl -s http://localhost:8083/connectors"
IRIS = "sepal_length float8, sepal_width float8, petal_length float8, petal_width float8, target int"


class Student:
    """The folder with the tutorial's files, and terminals in `headrace shell`."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "course"
        shutil.copytree(FILES, self.folder)
        path = os.environ["PATH"]
        self._variables = {HOME_VARIABLE: str(home / "headrace"), "HOME": str(home), "PATH": path, "SHELL": "/bin/bash"}
        self.terminals: list[Terminal] = []

    def terminal(self) -> Terminal:
        command = [sys.executable, "-P", "-m", "headrace", "shell"]
        terminal = Terminal(command, self.folder, self._variables)
        self.terminals.append(terminal)
        terminal.wait_for(PROMPT)
        return terminal

    def correct(self, file: str, misprint: str, correction: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert misprint in text
        path.write_text(text.replace(misprint, correction))


@pytest.fixture
def student(tutorials_ports: None) -> Iterator[Student]:
    need("kcat", "apt-get install kcat")
    need("curl", "apt-get install curl")
    if not wait_until(lambda: not _taken(), PORTS_S):
        missing(f"the tutorial's ports are taken by other programs: {', '.join(_taken())}")
    with TemporaryFolder("headrace-tutorial-") as folder:
        student = Student(folder.path)
        try:
            yield student
        finally:
            _end(student)
        assert wait_until(lambda: not processes_naming(str(folder.path)), 30)


def _taken() -> list[str]:
    return [str(port) for port in PORTS if not is_free("127.0.0.1", port)]


def _end(student: Student) -> None:
    for terminal in student.terminals:
        terminal.close()
    last = Terminal(["/bin/sh"], student.folder, student._variables)
    for project in ("part7-naive", "part7-kafka", "source", "target"):
        last.type(f"{sys.executable} -P -m headrace down -v -p {project}; echo ended {project}")
        last.wait_for(f"^ended {project}", 60)
    last.close()


def test_every_command_of_the_tutorial_works_as_typed(student: Student) -> None:
    shell = student.terminal()
    producer_and_consumer(student, shell)
    the_four_servers(student, shell)
    source_connector(student, shell)
    sink_connector(student, shell)
    with_timestamps(shell)


def producer_and_consumer(student: Student, shell: Terminal) -> None:
    up = "docker compose -p part7-naive -f naive-docker-compose.yaml up -d"
    refused = shell.run(up)
    assert refused.startswith("naive-docker-compose.yaml:7: port: is no key in services.zookeeper; did you mean ports?")
    assert shell.status() == 1
    assert "broker" not in shell.run("docker ps")
    student.correct("naive-docker-compose.yaml", "    port:", "    ports:")
    assert " Container broker  Started" in shell.run(up)
    rows = shell.run("docker ps").splitlines()
    assert rows[0].split("   ")[0] == "CONTAINER ID" and rows[0].endswith("NAMES")
    assert any("confluentinc/cp-kafka:7.3.0" in row and "9092->9092/tcp" in row for row in rows)

    naive = "docker compose -p part7-naive exec broker"
    topic = "--topic topic-test --bootstrap-server broker:29092"
    created = shell.run(f"{naive} kafka-topics --create {topic} --partitions 1 --replication-factor 1")
    assert created.endswith("Created topic topic-test.")
    described = shell.run(f"{naive} kafka-topics --describe {topic}")
    assert "Topic: topic-test" in described and "PartitionCount: 1" in described

    consumer = _inside_broker(shell, naive)
    consumer.type(f"kafka-console-consumer {topic}")
    producer = _inside_broker(student.terminal(), naive)
    producer.type("kafka-console-producer --topic topic-test --broker-list broker:29092")
    producer.wait_for("^>")
    _say_until_heard(producer, consumer)
    producer.type("hello from the producer")
    consumer.wait_for("^hello from the producer$")
    producer.press_ctrl_d()
    consumer.press_ctrl_c()
    for terminal in (producer, consumer):
        terminal.wait_for(r"\[broker\]\$ $")
        terminal.type("exit")
        terminal.wait_for(PROMPT)

    assert "broker" in shell.run("docker ps")
    assert " Container broker  Removed" in shell.run("docker compose -p part7-naive down -v")


def _inside_broker(terminal: Terminal, naive: str) -> Terminal:
    terminal.type(f"{naive} /bin/bash")
    terminal.wait_for(r"\[broker\]\$ $")
    return terminal


def _say_until_heard(producer: Terminal, consumer: Terminal) -> None:
    """The consumer reads from the end: what is said before it has found that is not for it."""
    for number in range(40):
        producer.type(f"are you there {number}")
        if consumer.shows("^are you there", 0.5):
            return
    raise AssertionError(f"the consumer hears nothing:\n{consumer.screen}")


def the_four_servers(student: Student, shell: Terminal) -> None:
    up = "docker compose -p part7-kafka -f kafka-docker-compose.yaml up -d"
    refused = shell.run(up).splitlines()
    assert [line.partition(": ")[0] for line in refused] == [
        "kafka-docker-compose.yaml:19",
        "kafka-docker-compose.yaml:23",
    ]
    assert "write `- 9092:9092`" in refused[0]
    assert "PLAINTEXT:://broker:29092 has one colon too many: write PLAINTEXT://broker:29092." in refused[1]
    assert shell.status() == 1
    student.correct("kafka-docker-compose.yaml", "      -9092:9092", "      - 9092:9092")
    student.correct("kafka-docker-compose.yaml", "PLAINTEXT:://", "PLAINTEXT://")
    started = shell.run(up)
    for name in ("broker", "schema-registry", "connect"):
        assert f" Container {name}  Started" in started
    assert "snowflake" in started
    rows = shell.run("docker ps").splitlines()
    for image, port in (
        ("part7-kafka-connect", "8083->8083/tcp"),
        ("confluentinc/cp-schema-registry:7.3.0", "8081->8081/tcp"),
        ("confluentinc/cp-kafka:7.3.0", "9092->9092/tcp"),
    ):
        assert any(image in row and port in row for row in rows), rows


def source_connector(student: Student, shell: Terminal) -> None:
    assert " Container postgres-server  Started" in shell.run(
        "docker compose -p source -f source-docker-compose.yaml up -d"
    )
    _fill(SOURCE, f"CREATE TABLE iris_data (id serial PRIMARY KEY, {IRIS})", ROWS)
    heredoc = (FILES / "source_connector.sh").read_text().rstrip()
    post = 'curl -X POST http://localhost:8083/connectors -H "Content-Type: application/json" -d @source_connector.json'
    shell.run(heredoc)
    refused = shell.run(post)
    assert "did you mean org.apache.kafka.connect.transforms.TimestampConverter$Value (or $Key)?" in refused
    assert "an unquoted heredoc drops $Value" in refused
    shell.run(heredoc.replace("<<EOF", "<<'EOF'"))
    created = _json(shell.run(post))
    assert created["name"] == "postgres-source-connector" and created["type"] == "source"
    assert shell.run("curl -X GET http://localhost:8083/connectors").endswith('["postgres-source-connector"]')
    shown = _json(shell.run("curl -X GET http://localhost:8083/connectors/postgres-source-connector"))
    assert shown["config"] == created["config"]
    assert shown["config"]["connection.url"] == "jdbc:postgresql://postgres-server:5432/mydatabase"

    listed = _until(shell, "kcat -L -b localhost:9092", 'topic "postgres-source-iris_data" with 1 partitions:')
    assert "broker 1 at localhost:9092 (controller)" in listed
    for topic, partitions in (("status", 5), ("offsets", 25), ("configs", 1)):
        assert f'topic "docker-connect-{topic}" with {partitions} partitions:' in listed
    assert 'topic "_schemas" with 1 partitions:' in listed
    shell.type("kcat -b localhost:9092 -t postgres-source-iris_data")
    first = shell.wait_for(r"^\{.*\}$").splitlines()[-1]
    shell.wait_for(r"^% Reached end of topic postgres-source-iris_data \[0\] at offset 3")
    shell.press_ctrl_c()
    shell.wait_for(PROMPT)
    _is_as_printed(json.loads(first))


def _until(shell: Terminal, line: str, wanted: str) -> str:
    """Type a line until what is wanted is among what it shows."""
    shown = ""

    def look() -> bool:
        nonlocal shown
        shown = shell.run(line)
        return wanted in shown

    assert wait_until(look, 60), shown
    return shown


def _is_as_printed(message: dict[str, dict[str, object]]) -> None:
    """The message that the tutorial shows of a topic: schema and payload."""
    assert (message["schema"]["type"], message["schema"]["optional"]) == ("struct", False)
    assert message["schema"]["name"] == "iris_data"
    assert message["schema"]["fields"] == [
        {"type": "int32", "optional": False, "field": "id"},
        *({"type": "double", "optional": True, "field": name} for name in COLUMNS[:4]),
        {"type": "int32", "optional": True, "field": "target"},
    ]
    assert message["payload"] == {"id": 1, **dict(zip(COLUMNS, ROWS[0], strict=True))}


COLUMNS = ("sepal_length", "sepal_width", "petal_length", "petal_width", "target")
ROWS = [(6.5, 3.0, 5.8, 2.2, 2), (7.0, 3.2, 4.7, 1.4, 1), (5.6, 2.7, 4.2, 1.3, 1)]


def _fill(dsn: str, create: str, rows: list[tuple[float, ...]]) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(create)
        with connection.cursor() as cursor:
            statement = f"INSERT INTO iris_data ({', '.join(COLUMNS)}) VALUES (%s, %s, %s, %s, %s)"
            cursor.executemany(statement, rows)


def _json(shown: str) -> dict[str, object]:
    """The body that curl has shown, after its progress meter."""
    return json.loads(shown[shown.index("{") :])  # type: ignore[no-any-return]


def sink_connector(student: Student, shell: Terminal) -> None:
    up = shell.run("docker compose -p target -f target-docker-compose.yaml up -d")
    assert " Container target-postgres-server  Started" in up
    assert "table-creator: is a program of yours" in up
    _fill(TARGET, f"CREATE TABLE iris_data (id int PRIMARY KEY, {IRIS})", [])
    post = 'curl -X POST http://localhost:8083/connectors -H "Content-Type: application/json" -d @sink_connector.json'
    assert _json(shell.run(post))["type"] == "sink"
    status = f"{STATUS}/postgres-sink-connector/status"
    failed = _until(shell, status, "FAILED")
    assert "targetuser" in failed and "password" in failed and "targetpassword" not in failed
    student.correct("sink_connector.json", "targetpassword", "targetpw")
    shell.run("curl -s -X DELETE http://localhost:8083/connectors/postgres-sink-connector")
    assert _json(shell.run(post))["type"] == "sink"
    assert wait_until(lambda: len(_rows(TARGET)) == 3, 60), _what_went_wrong(shell)
    assert _rows(TARGET) == _rows(SOURCE)
    psql = "docker compose -p target exec target-postgres-server psql -U targetuser -d targetdatabase -tAc"
    assert shell.run(f"{psql} 'SELECT count(*) FROM iris_data'") == "3"


def with_timestamps(shell: Terminal) -> None:
    for dsn in (TARGET, SOURCE):
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("ALTER TABLE iris_data ADD COLUMN timestamp timestamp")
    with psycopg.connect(SOURCE, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO iris_data (sepal_length, target, timestamp) VALUES (5.1, 0, '2022-12-01 12:34:56.789')"
        )
    assert wait_until(lambda: len(_rows(TARGET)) == 4, 60), _what_went_wrong(shell)
    assert _rows(TARGET) == _rows(SOURCE)


def _what_went_wrong(shell: Terminal) -> str:
    statuses = [shell.run(f"{STATUS}/postgres-{kind}-connector/status") for kind in ("source", "sink")]
    return "\n".join([*statuses, shell.run("docker compose -p part7-kafka logs --tail 30 connect")])


def _rows(dsn: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute("SELECT * FROM iris_data ORDER BY id").fetchall()
