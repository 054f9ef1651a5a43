"""Sinks on the session's PostgreSQL server."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from headrace.supervisor.postgres import PostgresServer
from headrace.testing.postgres import Database
from tests.jdbc.sink.harness import Sink


@pytest.fixture(scope="session")
def shared_database(postgres: PostgresServer) -> Iterator[Database]:
    """One database for all of these tests, since each takes a while to make."""
    database = Database(f"sinks_{os.getpid()}", postgres)
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database.name} TEMPLATE template0".encode())
        yield database
        connection.execute(f"DROP DATABASE {database.name} WITH (FORCE)".encode())


@pytest.fixture
def database(shared_database: Database) -> Iterator[Database]:
    """The shared database, without anything in it."""
    yield shared_database
    with shared_database.connect() as connection:
        connection.execute("SET lock_timeout = '10s'")
        connection.execute('DROP SCHEMA public CASCADE; DROP SCHEMA IF EXISTS "S" CASCADE; CREATE SCHEMA public')
        connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
        connection.execute(f"GRANT TEMP ON DATABASE {shared_database.name} TO PUBLIC".encode())


@pytest.fixture
def sink(database: Database) -> Iterator[Callable[..., Sink]]:
    """Makes started sinks, and stops them after the test."""
    made: list[Sink] = []

    def make(ddl: str = "", **properties: Any) -> Sink:
        with database.connect() as connection:
            connection.execute(ddl.encode() or b"SELECT 1")
        made.append(Sink(database, **properties))
        return made[-1]

    yield make
    for one in made:
        one.task.stop()
