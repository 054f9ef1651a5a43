"""Rows of every type from PostgreSQL to PostgreSQL in the formats that keep their schemas in a registry.

Mutation that makes it fail: read, in `column_decoder._decimal`, the bytes above a number as zeros whatever its sign.
"""

from typing import Any

import psycopg
import pytest

from headrace.testing.postgres import Database
from tests.pipeline.conftest import Ends
from tests.pipeline.stack import Stack, wait_until
from tests.registry.serving import serve

CONVERTERS = {
    "avro": "io.confluent.connect.avro.AvroConverter",
    "json_schema": "io.confluent.connect.json.JsonSchemaConverter",
}
COLUMNS = """
    small smallint, whole int, large bigint, single real, wide float8, price numeric(12, 2), yes boolean, words text,
    code varchar(20), data bytea, day date, at time, seen timestamp
"""
INSERT = """
insert into every_type (small, whole, large, single, wide, price, yes, words, code, data, day, at, seen) values
    (-32768, -2147483648, 9223372036854775807, 1.5, 1e-300, -12345.67, true, E'붓꽃 \\" \\\\ \\n', 'x', '\\x00ff',
     '1960-02-29', '23:59:59.999', '2026-11-22 12:30:01.25'),
    (0, 0, 0, 0, 0, 0, false, '', '', '', '1970-01-01', '00:00', '1970-01-01'),
    (null, null, null, null, null, null, null, null, null, null, null, null, null),
    (1, 2, 3, 'Infinity', 'NaN', 9999999999.99, true, 'y', 'z', '\\x01', '9999-12-31', '00:00:00.001', '2001-02-03')
"""
ROWS = 4


def rows(end: Database, table: str) -> list[tuple[Any, ...]]:
    """The table, floats as text: NaN is equal to no other NaN."""
    names = [part.split()[0] for part in COLUMNS.replace("(12, 2)", "").split(",")]
    listed = ", ".join(f"{name}::text" if name in ("single", "wide") else name for name in names)
    with psycopg.connect(end.dsn) as connection:
        return connection.execute(f"select id, {listed} from {table} order by id").fetchall()  # type: ignore[arg-type]


def connector(kind: str, end: Database, **more: Any) -> dict[str, Any]:
    return {
        "connector.class": f"io.confluent.connect.jdbc.Jdbc{kind}Connector",
        "connection.url": end.jdbc_url,
        "connection.user": end.server.user,
        "connection.password": end.server.password,
        **more,
    }


def both(name: str, url: str, ends: Ends) -> tuple[dict[str, Any], dict[str, Any]]:
    """A source and a sink with a topic and a target table of their own."""
    converter = {"value.converter": CONVERTERS[name], "value.converter.schema.registry.url": url}
    impatient = {"value.converter.max.retries": 1, "value.converter.retries.wait.ms": 50}
    source = {"table.whitelist": "every_type", "mode": "incrementing", "incrementing.column.name": "id"}
    creation = {"topic.creation.default.partitions": 1, "topic.creation.default.replication.factor": 1}
    return (
        connector(
            "Source", ends.source, **source, **creation, **converter, **impatient,
            **{"topic.prefix": f"{name}-", "poll.interval.ms": 100},
        ),
        connector("Sink", ends.target, **converter, **{"topics": f"{name}-every_type", "table.name.format": name}),
    )  # fmt: skip


@pytest.mark.timeout(240)
def test_every_type_arrives_as_it_was_and_a_registry_that_is_away_is_named(stack: Stack, ends: Ends) -> None:
    with ends.source.connect() as connection:
        connection.execute(f"create table every_type (id serial primary key, {COLUMNS})")
        connection.execute(INSERT)
    with ends.target.connect() as connection:
        for name in CONVERTERS:
            connection.execute(f"create table {name} (id int primary key, {COLUMNS})")
    with serve(stack.broker.bootstrap) as registry:
        for name in CONVERTERS:
            source, sink = both(name, registry.url, ends)
            stack.create(f"source-{name}", source)
            stack.create(f"sink-{name}", sink)
        for name in CONVERTERS:
            wait_until(
                lambda name=name: len(rows(ends.target, name)) == ROWS, 60, lambda name=name: complaint(stack, name)
            )
            assert rows(ends.target, name) == rows(ends.source, "every_type")
        assert registry.client.get("/subjects").json() == ["avro-every_type-value", "json_schema-every_type-value"]
    # What is known needs no registry; a schema that is new does.
    with ends.source.connect() as connection:
        connection.execute("alter table every_type add column more int")
        connection.execute("insert into every_type (more) values (1)")
    wait_until(lambda: "FAILED" in stack.states("source-avro"), 60, lambda: complaint(stack, "avro"))
    trace = stack.trace("source-avro")
    assert "The schema registry did not answer POST /subjects/avro-every_type-value/versions in 2 tries" in trace
    assert f"{registry.url}: Connection refused" in trace
    assert "value.converter.schema.registry.url" in trace


def complaint(stack: Stack, name: str) -> str:
    return "; ".join(
        f"{end}: {stack.states(f'{end}-{name}')} {stack.trace(f'{end}-{name}')}" for end in ("source", "sink")
    )
