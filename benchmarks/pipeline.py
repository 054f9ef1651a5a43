"""The whole path against plain COPY: 1,000,000 iris rows, everything on the same two cores, default settings.

The limit is PostgreSQL's own binary COPY from one server into the other, measured in the same run. Each leg starts with
the POST of its connector and ends when the last row is there. The last line is one JSON object: each leg as a ratio to
the limit.

    python -m benchmarks.pipeline [--rows 1000000] [--runs 3]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
from confluent_kafka import Consumer, TopicPartition
from rich.console import Console
from rich.table import Table

from benchmarks.process_clock import ProcessClock, thread_seconds
from benchmarks.stack import Stack, start_stack

COLUMNS = (
    "id int primary key, timestamp timestamp, sepal_length float8, sepal_width float8, "
    "petal_length float8, petal_width float8, target int"
)
FILL = """
insert into iris_data
select i, timestamp '2026-01-01' + i * interval '1 millisecond', 4.3 + i % 36 / 10.0, 2.0 + i % 24 / 10.0,
       1.0 + i % 59 / 10.0, 0.1 + i % 24 / 10.0, i % 3
from generate_series(1, %(rows)s) i
"""
CONVERTER = {
    "transforms": "TimestampConverter",
    "transforms.TimestampConverter.type": "org.apache.kafka.connect.transforms.TimestampConverter$Value",
    "transforms.TimestampConverter.field": "timestamp",
    "transforms.TimestampConverter.format": "yyyy-MM-dd HH:mm:ss.S",
}
LEG_DEADLINE_S = 300
THREADS = {
    "encode": ("task-",),
    "wire": ("fetcher", "record-producer", "producer-poll", "rdk:"),
    "JDBC": ("calls-", "read-ahead"),
}
"""A task host's threads: rows to or from records, records to or from Kafka, rows to or from databases."""


@dataclass
class Leg:
    """One measured part of the path."""

    name: str
    seconds: list[float] = field(default_factory=list)
    cpu: dict[str, float] = field(default_factory=dict)

    def rate(self, rows: int) -> float:
        return rows / statistics.median(self.seconds)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--legs", default="", help="source,sink_insert,...: only these, after the limit")
    options.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="added to both connectors")
    given = options.parse_args()
    cores = sorted(os.sched_getaffinity(0))[:2]
    os.sched_setaffinity(0, cores)
    with tempfile.TemporaryDirectory(prefix="headrace-bench-") as folder, start_stack(Path(folder)) as stack:
        bench = Pipeline(stack, given.rows, dict(pair.split("=", 1) for pair in given.set))
        bench.fill()
        wanted = {"limit", *(given.legs.split(",") if given.legs else bench.legs())}
        legs = [bench.measure(name, leg, given.runs) for name, leg in bench.legs().items() if name in wanted]
    report(legs, given.rows, len(cores))
    return 0


class Pipeline:
    """The legs of the path over one running stack."""

    def __init__(self, stack: Stack, rows: int, more: dict[str, str]) -> None:
        self.more = more
        self.stack = stack
        self.rows = rows
        self.round = 0
        self.threads: dict[str, float] = {}
        self.rest = httpx.Client(base_url=stack.connect_url, timeout=30)
        self.clock = ProcessClock(stack.pids)

    def legs(self) -> dict[str, Callable[[], float]]:
        return {
            "limit": self.limit,
            "source": self.source,
            "sink_insert": lambda: self.sink("insert"),
            "sink_upsert": lambda: self.sink("upsert"),
            "whole_path": self.whole_path,
        }

    def measure(self, name: str, leg: Callable[[], float], runs: int) -> Leg:
        result = Leg(name)
        for _ in range(runs):
            self.round += 1
            self.clock.start()
            self.threads = {}
            result.seconds.append(leg())
            result.cpu = self._split(self.clock.stop())
            print(f"{name}: {self.rows / result.seconds[-1]:,.0f} rows/s", file=sys.stderr, flush=True)
        return result

    def _split(self, cpu: dict[str, float]) -> dict[str, float]:
        """The worker's time by its hosts' threads; what is left is the worker itself, starts and stops."""
        hosts = cpu.pop("worker+hosts")
        return cpu | self.threads | {"worker, rest": max(0.0, hosts - sum(self.threads.values()))}

    def fill(self) -> None:
        with psycopg.connect(self.stack.source.dsn, autocommit=True) as connection:
            connection.execute(f"create table iris_data ({COLUMNS})")
            connection.execute(FILL.replace("%(rows)s", str(self.rows)))
            connection.execute("vacuum analyze iris_data")
        self._new_target()

    def limit(self) -> float:
        """Seconds of `psql copy to stdout | psql copy from stdin`, both binary, target logged and with its key."""
        self._new_target()
        read = [*self.stack.source.psql, "-c", "copy (select * from iris_data order by id) to stdout (format binary)"]
        write = [*self.stack.target.psql, "-c", "copy iris_data from stdin (format binary)"]
        begin = time.monotonic()
        with subprocess.Popen(read, stdout=subprocess.PIPE, env=self.stack.source.environment) as reader:
            subprocess.run(
                write, stdin=reader.stdout, env=self.stack.target.environment, check=True, stdout=subprocess.DEVNULL
            )
        return time.monotonic() - begin

    def source(self) -> float:
        """Seconds from the POST of the source connector to the last record in the topic."""
        topic = f"bench-{self.round}-iris_data"
        with self._connector("source", self._source_config(f"bench-{self.round}-")) as begin:
            self._wait(lambda: self._end_offset(topic) >= self.rows)
            seconds = time.monotonic() - begin
        self.topic = topic
        return seconds

    def sink(self, mode: str) -> float:
        """Seconds from the POST of the sink connector to the last row in the target; the topic is full before."""
        self._new_target()
        with self._connector("sink", self._sink_config(self.topic, mode)) as begin:
            self._wait(lambda: self._target_max() >= self.rows)
            seconds = time.monotonic() - begin
        self._check_target()
        return seconds

    def whole_path(self) -> float:
        """Seconds from the first POST to the last row in the target, both connectors started with nothing done."""
        self._new_target()
        prefix = f"bench-{self.round}-"
        sink = self._sink_config(f"{prefix}iris_data", "insert")
        with self._connector("source", self._source_config(prefix)) as begin, self._connector("sink", sink):
            self._wait(lambda: self._target_max() >= self.rows)
            seconds = time.monotonic() - begin
        self._check_target()
        return seconds

    def _source_config(self, prefix: str) -> dict[str, Any]:
        return {
            "connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector",
            "connection.url": self.stack.source.jdbc_url,
            "connection.user": self.stack.source.user,
            "connection.password": self.stack.source.password,
            "table.whitelist": "iris_data",
            "topic.prefix": prefix,
            "topic.creation.default.partitions": 1,
            "topic.creation.default.replication.factor": 1,
            "mode": "incrementing",
            "incrementing.column.name": "id",
            "tasks.max": 2,
            **CONVERTER,
            "transforms.TimestampConverter.target.type": "string",
        }

    def _sink_config(self, topic: str, mode: str) -> dict[str, Any]:
        upsert = {"pk.mode": "record_value", "pk.fields": "id"} if mode == "upsert" else {}
        return {
            "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
            "connection.url": self.stack.target.jdbc_url,
            "connection.user": self.stack.target.user,
            "connection.password": self.stack.target.password,
            "table.name.format": "iris_data",
            "topics": topic,
            "insert.mode": mode,
            "tasks.max": 2,
            **upsert,
            **CONVERTER,
            "transforms.TimestampConverter.target.type": "Timestamp",
        }

    @contextmanager
    def _connector(self, kind: str, config: dict[str, Any]) -> Iterator[float]:
        """Post a connector and delete it afterwards; gives the moment just before the POST."""
        self.posted = name = f"bench-{kind}-{self.round}"
        begin = time.monotonic()
        answer = self.rest.post("/connectors", json={"name": name, "config": config | self.more})
        if answer.status_code != 201:
            raise SystemExit(f"POST of {name} was answered {answer.status_code}: {answer.text}")
        yield begin
        self.threads = thread_seconds(self.stack.pids()["worker+hosts"], THREADS)  # before they end
        self.rest.delete(f"/connectors/{name}")

    def _wait(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + LEG_DEADLINE_S
        while not done():
            self._stop_where_failed()
            if time.monotonic() > deadline:
                raise SystemExit(f"not done after {LEG_DEADLINE_S} s: {self._statuses()}")
            time.sleep(0.02)

    def _stop_where_failed(self) -> None:
        if time.monotonic() - getattr(self, "_looked", 0.0) < 2:
            return
        self._looked = time.monotonic()
        for status in self._statuses():
            for part in [status["connector"], *status["tasks"]]:
                if part["state"] == "FAILED":
                    raise SystemExit(f"{status['name']} FAILED: {part.get('trace', '')}")

    def _statuses(self) -> list[dict[str, Any]]:
        listed = self.rest.get("/connectors", params={"expand": "status"}).json()
        return [entry["status"] for entry in listed.values() if "status" in entry]

    def _end_offset(self, topic: str) -> int:
        if not hasattr(self, "_consumer"):
            settings = {"bootstrap.servers": self.stack.bootstrap, "group.id": "bench", "log_level": 0}
            self._consumer = Consumer(settings)
        # librdkafka remembers that a topic was not there: asked for all of them, it looks again.
        if topic not in self._consumer.list_topics(timeout=5).topics:
            return 0
        return int(self._consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=5)[1])

    def _target(self, query: str) -> Any:
        if not hasattr(self, "_connection"):
            self._connection = psycopg.connect(self.stack.target.dsn, autocommit=True)
        return self._connection.execute(query)

    def _target_max(self) -> int:
        return int(self._target("select coalesce(max(id), 0) from iris_data").fetchone()[0])

    def _new_target(self) -> None:
        self._target("drop table if exists iris_data")
        self._target(f"create table iris_data ({COLUMNS})")
        self._target("checkpoint")

    def _check_target(self) -> None:
        count = self._target("select count(*) from iris_data").fetchone()[0]
        if count != self.rows:
            raise SystemExit(f"the target has {count} rows of {self.rows}")


def report(legs: list[Leg], rows: int, cores: int) -> None:
    """A table of rates and of where the CPU time went, then the JSON line."""
    limit = next(leg for leg in legs if leg.name == "limit").rate(rows)
    parts = sorted({part for leg in legs for part in leg.cpu})
    table = Table(
        title=f"{rows:,} iris rows on {cores} cores; CPU seconds of the last run, by process and by the hosts' threads"
    )
    for heading in ("leg", "rows/s", "of the limit", *parts):
        table.add_column(heading, justify="left" if heading == "leg" else "right")
    for leg in legs:
        rate = leg.rate(rows)
        used = [f"{leg.cpu.get(part, 0):.2f}" for part in parts]
        table.add_row(leg.name, f"{rate:,.0f}", f"{rate / limit:.2f}", *used)
    Console(width=140).print(table)
    ratios = {leg.name: round(leg.rate(rows) / limit, 3) for leg in legs if leg.name != "limit"}
    figures: dict[str, Any] = {**ratios, "limit_rows_per_s": round(limit), "rows": rows, "cores": cores}
    print(json.dumps(figures))


if __name__ == "__main__":
    raise SystemExit(main())
