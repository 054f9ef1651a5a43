"""The generator and the watcher of the target, with a pump between two databases in place of the pipeline."""

import threading
import time

import psycopg
import pytest

from headrace.demo import generator as generator_module
from headrace.demo.activity import Activity
from headrace.demo.arrivals import Arrivals
from headrace.demo.comparison import Comparison, compare_tables
from headrace.demo.generator import Generator
from headrace.demo.iris import COLUMNS, SOURCE_TABLE, TARGET_TABLE
from headrace.demo.ledger import Ledger
from headrace.testing.postgres import Database
from tests.supervisor.processes import wait_until


class Pump(Activity):
    """Copies new rows from the source table to the table `target_iris` as soon as it may."""

    name_shown = "pump"

    def __init__(self, source: str, target: str) -> None:
        super().__init__()
        self.source, self.target, self.open = source, target, threading.Event()

    def act(self) -> None:
        with psycopg.connect(self.source, autocommit=True) as source, psycopg.connect(self.target) as target:
            last = 0
            while not self.stopping.wait(0.005):
                if not self.open.is_set():
                    continue
                columns = f"id, {', '.join(COLUMNS)}"
                rows = source.execute(f"SELECT {columns} FROM iris_data WHERE id > %s ORDER BY id", (last,)).fetchall()
                with target.cursor().copy(f"COPY iris_data ({columns}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
                target.commit()
                last = rows[-1][0] if rows else last


@pytest.fixture
def pump(database: Database, postgres):  # type: ignore[no-untyped-def]
    name = f"{database.name}_target"
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    for dsn, table in ((database.dsn, SOURCE_TABLE), (postgres.dsn(name), TARGET_TABLE)):
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(table)
    pump = Pump(database.dsn, postgres.dsn(name))
    pump.start()
    yield pump
    pump.stop()
    pump.raise_error()
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("rate", [40, 2_000, 0])
def test_every_inserted_row_is_seen_once_and_timed(pump: Pump, rate: float) -> None:
    ledger = Ledger()
    pump.open.set()
    generator, arrivals = Generator(pump.source, rate, ledger), Arrivals(pump.target, ledger)
    arrivals.start()
    generator.start()
    assert wait_until(lambda: ledger.seen >= 20)
    generator.stop()
    assert wait_until(lambda: not ledger.backlog)
    arrivals.stop()
    for activity in (generator, arrivals, pump):
        activity.raise_error()
    assert compare_tables(pump.source, pump.target) == Comparison(ledger.inserted, ledger.inserted, 0, 0)
    assert ledger.latencies.total == ledger.inserted
    median = ledger.latencies.percentile(50)
    assert median is not None and 0 < median < 10_000


def test_a_steady_rate_is_kept(pump: Pump) -> None:
    ledger = Ledger()
    generator = Generator(pump.source, 200, ledger)
    began = time.monotonic()
    generator.start()
    assert wait_until(lambda: ledger.inserted >= 200, 60)
    assert time.monotonic() - began > 0.9
    generator.stop()


def test_at_full_speed_the_source_does_not_run_away(pump: Pump, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator_module, "LEAST_AHEAD_ROWS", 10_000)
    ledger = Ledger()
    generator, arrivals = Generator(pump.source, 0, ledger), Arrivals(pump.target, ledger)
    arrivals.start()
    generator.start()
    assert wait_until(lambda: ledger.inserted == 10_000)
    pump.open.set()
    assert wait_until(lambda: ledger.inserted > 10_000)
    generator.stop()
    arrivals.stop()


def test_an_error_ends_the_generator_and_is_kept(database: Database) -> None:
    generator = Generator(database.dsn, 5, Ledger())
    generator.start()
    generator.join(10)
    with pytest.raises(psycopg.errors.UndefinedTable):
        generator.raise_error()
