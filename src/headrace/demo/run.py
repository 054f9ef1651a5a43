"""The demo from its first line to its last.

The main thread starts, shows, compares and stops; the generator and the watcher of the target are threads of their own.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg
from rich.console import Console

from headrace.demo.arrivals import Arrivals
from headrace.demo.comparison import Comparison, compare_tables
from headrace.demo.connectors import POLL_INTERVAL_MS, TARGET_PASSWORD, ConnectClient, sink_connector, source_connector
from headrace.demo.generator import Generator
from headrace.demo.iris import SOURCE_TABLE, TARGET_TABLE
from headrace.demo.ledger import Ledger
from headrace.demo.ports import DemoPorts, choose_ports
from headrace.demo.topic import TopicOffset
from headrace.demo.view import RateMeter, Snapshot, View, milliseconds, view_on
from headrace.supervisor.folder import TemporaryFolder
from headrace.supervisor.interrupts import Interrupted, Interrupts
from headrace.supervisor.postgres import PostgresServer
from headrace.supervisor.programs import postgres_programs
from headrace.supervisor.stack import HOST, Stack
from headrace.supervisor.supervisor import Supervisor

RUNNING_S: Final = 60.0
STALLED_S: Final = 20.0
"""How long the drain waits for the next row before it gives the rest up as lost."""
STATUS_S: Final = 1.0
INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """`seconds` None runs until Ctrl-C; `rate` is in rows/s, 0 as fast as it goes."""

    seconds: float | None = None
    rate: float = 5.0
    keep: bool = False
    sink_first: bool = False


@dataclass(slots=True)
class Demo:
    """One run. `run` gives the exit status."""

    options: DemoOptions
    console: Console
    interrupts: Interrupts
    ledger: Ledger = field(default_factory=Ledger)
    _rate: RateMeter = field(default_factory=RateMeter)

    def run(self) -> int:
        """0 where every row arrived once, 1 where not, 130 where it was interrupted before it could tell.

        Raises ProcessFailed, DemoFailed or OSError where it cannot go on; everything is stopped by then.
        """
        began = time.monotonic()
        with TemporaryFolder("headrace-demo-", self.options.keep) as folder:
            supervisor = Supervisor(self.interrupts)
            try:
                with self._started(supervisor, folder) as pipeline:
                    self.say(f"ready in {time.monotonic() - began:.1f} s{self._how_to_end()}")
                    last_line, status = self._flow(pipeline, supervisor)
            except Interrupted:
                last_line, status = "demo: interrupted", INTERRUPTED
            finally:
                supervisor.stop()
        if self.options.keep:
            self.say(f"kept: {folder.path}")
        self.say(last_line)
        return status

    def say(self, line: str) -> None:
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _how_to_end(self) -> str:
        return "; Ctrl-C ends it" if self.options.seconds is None else f"; it ends after {self.options.seconds:g} s"

    @contextmanager
    def _started(self, supervisor: Supervisor, folder: TemporaryFolder) -> "Iterator[Pipeline]":
        ports = choose_ports(self.say)
        source, target = _postgres_servers(folder, ports)
        hosts = {
            ("postgres-server", 5432): (HOST, ports.source),
            ("target-postgres-server", 5432): (HOST, ports.target),
        }
        stack = Stack(folder.path, ports.stack, hosts, folder.lifeline)
        supervisor.start([source, target, stack.broker()])
        _create(source.dsn(), SOURCE_TABLE)
        _create(target.dsn(), TARGET_TABLE)
        supervisor.start([stack.connect()])
        self._say_where(source, target, ports, folder.path)
        connect = ConnectClient.at(f"http://{HOST}:{ports.stack.connect}")
        try:
            self._post(connect)
            yield Pipeline(source.dsn(), target.dsn(), f"{HOST}:{ports.stack.internal}", connect)
        finally:
            connect.close()

    def _say_where(self, source: PostgresServer, target: PostgresServer, ports: DemoPorts, path: Path) -> None:
        self.say(f"source   {source.dsn()}")
        self.say(f"target   {target.dsn()}")
        self.say(f"broker   localhost:{ports.stack.broker}")
        self.say(f"connect  http://localhost:{ports.stack.connect}")
        if self.options.keep:
            self.say(f"files    {path}")

    def _post(self, connect: ConnectClient) -> None:
        connectors = [source_connector(), sink_connector()]
        if self.options.sink_first:
            connectors.reverse()
        self.say(
            "posting the tutorial's source_connector.json and sink_connector.json; changed in them: the sink's "
            f"password ({TARGET_PASSWORD}), poll.interval.ms {POLL_INTERVAL_MS}; the host names postgres-server and "
            "target-postgres-server are in the address book"
        )
        for connector in connectors:
            connect.post(connector)
        deadline = time.monotonic() + RUNNING_S
        while not all(connect.is_running(connector["name"]) for connector in connectors):
            self.interrupts.raise_if_asked()
            if time.monotonic() > deadline:
                raise TimeoutError(f"the connectors were not running {RUNNING_S:g} s after they were posted")
            time.sleep(0.02)

    def _flow(self, pipeline: "Pipeline", supervisor: Supervisor) -> tuple[str, int]:
        """Let rows flow, drain, compare: the last line and the exit status."""
        topic = TopicOffset(pipeline.bootstrap)
        generator = Generator(pipeline.source_dsn, self.options.rate, self.ledger)
        arrivals = Arrivals(pipeline.target_dsn, self.ledger)
        watch = _Watch(pipeline, supervisor, generator, arrivals, topic)
        try:
            arrivals.start()
            generator.start()
            with view_on(self.console) as view:
                self._show_while_it_flows(view, watch)
            if self.interrupts.hurried:
                raise Interrupted
            arrivals.stop()
            comparison = compare_tables(pipeline.source_dsn, pipeline.target_dsn)
            return self._last_line(comparison, topic.records()), 0 if comparison.equal else 1
        finally:
            generator.stop()
            arrivals.stop()
            topic.close()

    def _show_while_it_flows(self, view: View, watch: "_Watch") -> None:
        began = time.monotonic()
        while not self.interrupts.sleep(self._next_show(began, view)):
            watch.check()
            view.show(self._snapshot(began, watch.topic))
            if self.options.seconds is not None and time.monotonic() - began >= self.options.seconds:
                break
        watch.generator.stop()
        seen, moved = self.ledger.seen, time.monotonic()
        while self.ledger.backlog and time.monotonic() - moved < STALLED_S and not self.interrupts.hurried:
            time.sleep(min(view.interval_s, 0.1))
            watch.check()
            view.show(self._snapshot(began, watch.topic, "draining"))
            if self.ledger.seen != seen:
                seen, moved = self.ledger.seen, time.monotonic()
        view.show(self._snapshot(began, watch.topic, "ran"))

    def _next_show(self, began: float, view: View) -> float:
        left = view.interval_s
        if self.options.seconds is not None:
            left = min(left, began + self.options.seconds - time.monotonic())
        return max(0.0, left)

    def _snapshot(self, began: float, topic: TopicOffset, activity: str = "running") -> Snapshot:
        now, latencies = time.monotonic(), self.ledger.latencies
        return Snapshot(
            seconds=now - began,
            source_rows=self.ledger.inserted,
            topic_records=topic.records(),
            target_rows=self.ledger.seen,
            rows_per_s=self._rate.rate(now, self.ledger.seen),
            p50=latencies.percentile(50),
            p99=latencies.percentile(99),
            activity=activity,
        )

    def _last_line(self, comparison: Comparison, records: int) -> str:
        latencies = self.ledger.latencies
        return (
            f"demo: source {comparison.source_rows} rows, topic {records} records, "
            f"target {comparison.target_rows} rows, lost {comparison.lost}, duplicated {comparison.duplicated}, "
            f"latency p50 {milliseconds(latencies.percentile(50))} p99 {milliseconds(latencies.percentile(99))}"
        )


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a running pipeline can be reached by."""

    source_dsn: str
    target_dsn: str
    bootstrap: str
    connect: ConnectClient


@dataclass(slots=True)
class _Watch:
    """Asks all parts of a flowing pipeline whether they still work."""

    pipeline: Pipeline
    supervisor: Supervisor
    generator: Generator
    arrivals: Arrivals
    topic: TopicOffset
    _asked: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        """Raises the most telling error: a server that ended, a connector that failed, a thread of ours."""
        self.supervisor.check()
        if time.monotonic() - self._asked > STATUS_S:
            self._asked = time.monotonic()
            for connector in (source_connector(), sink_connector()):
                self.pipeline.connect.is_running(connector["name"])
        for activity in (self.generator, self.arrivals):
            if activity.error is not None:
                time.sleep(0.2)  # a server that ended is the better explanation
                self.supervisor.check()
                activity.raise_error()


def _postgres_servers(folder: TemporaryFolder, ports: DemoPorts) -> tuple[PostgresServer, PostgresServer]:
    """The tutorial's two servers: its users, passwords and databases."""
    programs = postgres_programs(folder.path / "programs")

    def server(name: str, port: int, login: tuple[str, str, str]) -> PostgresServer:
        made = PostgresServer(folder.path / name, port, *login, programs=programs, lifeline=folder.lifeline)
        made.name = name
        return made

    return (
        server("postgres-server", ports.source, ("myuser", "mypassword", "mydatabase")),
        server("target-postgres-server", ports.target, ("targetuser", TARGET_PASSWORD, "targetdatabase")),
    )


def _create(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement)
