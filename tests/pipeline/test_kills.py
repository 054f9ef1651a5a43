"""kill -9 of each process in mid-stream at full speed; a ledger of what was inserted is compared with the target.

Mutations that make these fail: commit source offsets at poll instead of at acknowledgement (rows lost at the worker's
and the host's kill); commit sink offsets before the target's commit (rows lost at the host's kill); acknowledge a
produce before the append (rows lost at the broker's kill); insert in place of upsert (a redelivered row is refused).
"""

from collections.abc import Callable

import psycopg
import pytest

from headrace.testing.postgres import Database
from tests.pipeline.iris import COLUMNS, UPSERT, Writer, sink_config, source_config
from tests.pipeline.stack import Stack, wait_until

ROUNDS = 3
DEADLINE_S = 90


def rows(dsn: str, database: str) -> dict[int, tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        found = connection.execute("select * from iris_data").fetchall()
    assert len({row[0] for row in found}) == len(found), f"doubled rows in {database}"
    return {row[0]: row[1:] for row in found}


def kill_broker(stack: Stack, at: int) -> None:
    stack.kill_broker()
    stack.start_broker()


def kill_worker(stack: Stack, at: int) -> None:
    stack.kill_worker()
    stack.start_worker()


def kill_task_host(stack: Stack, at: int) -> None:
    stack.kill_task_host(at)


@pytest.mark.crash
@pytest.mark.parametrize("kill", [kill_broker, kill_worker, kill_task_host])
@pytest.mark.timeout(300)
def test_no_row_is_lost_or_doubled_by_a_kill_under_upsert(
    stack: Stack, database: Database, kill: Callable[[Stack, int], None]
) -> None:
    server, source, target = database.server, database.name, f"{database.name}_target"
    with database.connect() as connection:
        connection.execute(f"create database {target}")
        connection.execute(f"create table iris_data (id serial primary key, {COLUMNS})")
    with psycopg.connect(server.dsn(target), autocommit=True) as connection:
        connection.execute(f"create table iris_data (id int primary key, {COLUMNS})")
    stack.create("source", source_config(server, source))
    stack.create("sink", sink_config(server, target, **UPSERT))
    writer = Writer(database.dsn)
    writer.start()

    def arrived() -> int:
        with psycopg.connect(server.dsn(target)) as connection:
            found = connection.execute("select count(*) from iris_data").fetchone()
        return int(found[0]) if found else 0

    def complaint() -> str:
        of_source = f"source {stack.states('source')} {stack.trace('source')}"
        of_sink = f"sink {stack.states('sink')} {stack.trace('sink')}"
        return f"{arrived()} of {len(writer.ledger)} rows; {of_source}; {of_sink}"

    def wait_for_more() -> None:
        before = arrived()
        wait_until(lambda: arrived() > before, DEADLINE_S, complaint)

    for at in range(ROUNDS):
        wait_for_more()
        kill(stack, at)
    wait_for_more()
    writer.finish()
    wait_until(lambda: arrived() >= len(writer.ledger), DEADLINE_S, complaint)
    try:
        expected, found = rows(database.dsn, source), rows(server.dsn(target), target)
        assert set(expected) == writer.ledger
        assert found == expected
    finally:
        stack.stop()
        with database.connect() as connection:
            connection.execute(f"drop database {target} with (force)")
