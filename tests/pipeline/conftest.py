from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from headrace.testing.postgres import Database
from tests.pipeline.iris import COLUMNS
from tests.pipeline.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A broker and a worker, started; stopped after the test."""
    stack = Stack(tmp_path)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


@dataclass(frozen=True, slots=True)
class Ends:
    """The source database and the target database, each with its iris table."""

    source: Database
    target: Database

    def arrived(self) -> int:
        with psycopg.connect(self.target.dsn) as connection:
            found = connection.execute("select count(*) from iris_data").fetchone()
        return int(found[0]) if found else 0

    def rows(self, end: Database) -> list[tuple[object, ...]]:
        with psycopg.connect(end.dsn) as connection:
            return connection.execute("select * from iris_data order by id").fetchall()


@pytest.fixture
def ends(database: Database) -> Iterator[Ends]:
    """Two fresh databases of one server; the second is dropped after the test whoever is still connected."""
    target = Database(f"{database.name}_target", database.server)
    with database.connect() as connection:
        connection.execute(f"create database {target.name} template template0")
        connection.execute(f"create table iris_data (id serial primary key, {COLUMNS})")
    with target.connect() as connection:
        connection.execute(f"create table iris_data (id int primary key, {COLUMNS})")
    yield Ends(database, target)
    with database.connect() as connection:
        connection.execute(f"drop database {target.name} with (force)")
