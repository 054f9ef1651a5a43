"""pytest fixtures: one embedded PostgreSQL server for the session, a fresh database for each test that asks.

pytest_plugins = ["headrace.testing.postgres"]

def test_rows_arrive(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE t (id int)")
"""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import sql

from headrace.supervisor.folder import TemporaryFolder
from headrace.supervisor.postgres import FAST_FOR_TESTS, PostgresServer
from headrace.supervisor.ready import free_port

USER = "headrace"
PASSWORD = "a pass'word"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Database:
    """A database of the session's server that one test has for itself."""

    name: str
    server: PostgresServer

    @property
    def dsn(self) -> str:
        """The URL for libpq's clients, user and password in it."""
        return self.server.dsn(self.name)

    @property
    def jdbc_url(self) -> str:
        """The URL for `connection.url`; user and password go by `server.user` and `server.password`."""
        return self.server.jdbc_url(self.name)

    def connect(self) -> psycopg.Connection:
        """A connection in autocommit mode; a context manager that closes it."""
        return psycopg.connect(self.dsn, autocommit=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The server: `host`, `port`, `user`, `password`, `dsn(database)`, `jdbc_url(database)`, `psql`."""
    with TemporaryFolder("headrace-postgres-") as folder:
        data_dir = folder.path / "postgres"
        server = PostgresServer(data_dir, free_port(), USER, PASSWORD, "postgres", FAST_FOR_TESTS)
        server.lifeline = folder.lifeline
        with server:
            yield server


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[Database]:
    """A fresh database, dropped after the test whoever is still connected."""
    database = Database(f"test_{os.getpid()}_{next(_numbers)}", postgres)
    name = sql.Identifier(database.name)
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
    yield database
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
