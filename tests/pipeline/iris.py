"""The iris table, a writer that fills it at full speed and keeps a ledger, and the connectors' configurations."""

import threading
from typing import Any

import psycopg

from headrace.testing.postgres import Database

COLUMNS = (
    "timestamp timestamp, sepal_length float8, sepal_width float8, petal_length float8, petal_width float8, target int"
)
INSERT = """
insert into iris_data (timestamp, sepal_length, sepal_width, petal_length, petal_width, target)
select date_trunc('milliseconds', clock_timestamp()), random() * 5, 3.25, random(), null, mod(i, 3)
from generate_series(1, %s) i returning id
"""
_TRANSFORM = {
    "transforms": "TimestampConverter",
    "transforms.TimestampConverter.type": "org.apache.kafka.connect.transforms.TimestampConverter$Value",
    "transforms.TimestampConverter.field": "timestamp",
    "transforms.TimestampConverter.format": "yyyy-MM-dd HH:mm:ss.S",
}


class Writer(threading.Thread):
    """Inserts rows in transactions of `rows_a_transaction`, every tenth rolled back; `ledger` has the committed ids."""

    def __init__(self, dsn: str, rows_a_transaction: int = 500) -> None:
        super().__init__(name="writer", daemon=True)
        self.dsn = dsn
        self.rows = rows_a_transaction
        self.stopping = threading.Event()
        self.ledger: set[int] = set()
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            with psycopg.connect(self.dsn) as connection:
                self._write(connection)
        except BaseException as error:
            self.failure = error

    def _write(self, connection: psycopg.Connection) -> None:
        number = 0
        while not self.stopping.is_set():
            number += 1
            ids = [row[0] for row in connection.execute(INSERT, (self.rows,))]
            if number % 10 == 0:
                connection.rollback()
                continue
            connection.commit()
            self.ledger.update(ids)
            self.stopping.wait(0.01)

    def finish(self) -> None:
        """Stop and wait; raises what went wrong."""
        self.stopping.set()
        self.join(30)
        if self.failure is not None:
            raise self.failure


def source_config(end: Database, **more: Any) -> dict[str, Any]:
    """The tutorial's source connector, for this database."""
    return {
        "connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector",
        "connection.url": end.jdbc_url,
        "connection.user": end.server.user,
        "connection.password": end.server.password,
        "table.whitelist": "iris_data",
        "topic.prefix": "postgres-source-",
        "topic.creation.default.partitions": 1,
        "topic.creation.default.replication.factor": 1,
        "mode": "incrementing",
        "incrementing.column.name": "id",
        "poll.interval.ms": 100,
        "tasks.max": 2,
        **_TRANSFORM,
        "transforms.TimestampConverter.target.type": "string",
        **more,
    }


def sink_config(end: Database, **more: Any) -> dict[str, Any]:
    """The tutorial's sink connector, for this database."""
    return {
        "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
        "connection.url": end.jdbc_url,
        "connection.user": end.server.user,
        "connection.password": end.server.password,
        "table.name.format": "iris_data",
        "topics": "postgres-source-iris_data",
        "auto.create": False,
        "auto.evolve": False,
        "tasks.max": 2,
        **_TRANSFORM,
        "transforms.TimestampConverter.target.type": "Timestamp",
        **more,
    }


UPSERT = {"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"}
