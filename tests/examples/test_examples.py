"""The course's files in `examples/`: compose files without a fault, programs that run, connectors that fit."""

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from headrace.compose import ServiceKind, read_plan
from headrace.demo.iris import flowers
from headrace.testing.postgres import Database
from tests.examples.folder import ROOT

EXAMPLES = ROOT / "examples"
KINDS = {
    "naive-docker-compose.yaml": {"zookeeper": ServiceKind.ZOOKEEPER, "broker": ServiceKind.BROKER},
    "kafka-docker-compose.yaml": {
        "zookeeper": ServiceKind.ZOOKEEPER,
        "broker": ServiceKind.BROKER,
        "schema-registry": ServiceKind.REGISTRY,
        "connect": ServiceKind.CONNECT,
    },
    "source-docker-compose.yaml": {"postgres-server": ServiceKind.POSTGRES, "data-generator": ServiceKind.FOREIGN},
    "target-docker-compose.yaml": {
        "target-postgres-server": ServiceKind.POSTGRES,
        "table-creator": ServiceKind.FOREIGN,
    },
}


@pytest.mark.parametrize("file", KINDS)
def test_each_compose_file_reads_without_a_fault(file):
    plan = read_plan((file,), "shop", {}, EXAMPLES)
    assert {service.name: service.kind for service in plan.services} == KINDS[file]


def test_the_connectors_log_in_as_the_compose_files_have_it():
    files = ("source-docker-compose.yaml", "target-docker-compose.yaml")
    services = {service.name: service.environment for service in read_plan(files, "shop", {}, EXAMPLES).services}
    for name in ("source_connector.json", "sink_connector.json"):
        config = json.loads((EXAMPLES / name).read_text())["config"]
        url = urlsplit(config["connection.url"].removeprefix("jdbc:"))
        given = services[url.hostname]
        assert (config["connection.user"], config["connection.password"], url.path.removeprefix("/")) == (
            given["POSTGRES_USER"],
            given["POSTGRES_PASSWORD"],
            given["POSTGRES_DB"],
        )


def run(program: str, database: Database, *more: str) -> None:
    server = database.server
    login = ["--port", str(server.port), "--user", server.user, "--password", server.password]
    command = [sys.executable, str(EXAMPLES / program), "127.0.0.1", *login, "--database", database.name, *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_the_generator_makes_its_table_and_goes_on_with_one_that_is_there(database):
    for _ in range(2):
        run("generator/data_generator.py", database, "--rows", "3", "--seconds", "0")
    columns = "id, sepal_length, sepal_width, petal_length, petal_width, target, timestamp IS NOT NULL"
    with database.connect() as connection:
        rows = connection.execute(f"SELECT {columns} FROM iris_data ORDER BY id").fetchall()
    wanted = [(*map(float, flower[:4]), int(flower[4]), True) for flower in flowers()[:3] * 2]
    assert rows == [(number, *flower) for number, flower in enumerate(wanted, 1)]


def test_the_table_creator_makes_a_table_that_takes_the_sources_rows(database):
    columns = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'iris_data' ORDER BY 1"
    with database.connect() as connection:
        run("generator/data_generator.py", database, "--rows", "1", "--seconds", "0")
        source = connection.execute(columns).fetchall()
        connection.execute("DROP TABLE iris_data")
        for _ in range(2):
            run("table-creator/table_creator.py", database)
        assert connection.execute(columns).fetchall() == source


@pytest.mark.parametrize("folder", ["generator", "table-creator"])
def test_each_image_copies_what_its_program_needs_and_starts_it(folder):
    lines = (EXAMPLES / folder / "Dockerfile").read_text().splitlines()
    copied = next(line for line in lines if line.startswith("COPY ")).split()[1:-1]
    program = json.loads(next(line for line in lines if line.startswith("ENTRYPOINT ")).removeprefix("ENTRYPOINT "))
    assert program[0] == "python" and program[1] in copied
    there = {file.name for file in (EXAMPLES / folder).iterdir() if file.is_file()}
    assert there == {*copied, "Dockerfile"}
    imported = set(re.findall(r"^import (\w+)$", Path(EXAMPLES / folder / program[1]).read_text(), re.MULTILINE))
    assert imported - set(sys.stdlib_module_names) == {"psycopg"}
    assert any(line.startswith("RUN pip install") and "psycopg" in line for line in lines)
