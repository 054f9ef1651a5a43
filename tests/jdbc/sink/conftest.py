"""Sinks on the session's PostgreSQL server."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from headrace.testing.postgres import Database
from tests.jdbc.sink.harness import Sink


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
