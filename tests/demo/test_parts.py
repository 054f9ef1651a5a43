"""The parts of the demo: rows, ledger, comparison, view, the tutorial's files."""

import json
from collections.abc import Callable
from datetime import datetime
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from headrace.demo.comparison import Comparison, compare, compare_tables
from headrace.demo.connectors import SINK_FILE, SOURCE_FILE, connector_file, sink_connector, source_connector
from headrace.demo.iris import COPY_IN, SOURCE_TABLE, TARGET_TABLE, IrisRows, flowers
from headrace.demo.ledger import Latencies, Ledger, RateMeter
from headrace.demo.ports import DemoPorts, choose_ports
from headrace.demo.run import wrapped
from headrace.demo.view import Lines, Snapshot, render
from headrace.supervisor.ready import HOST, is_free
from headrace.testing.postgres import Database

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_flowers_are_fishers() -> None:
    columns = list(zip(*flowers(), strict=True))
    assert [round(sum(map(float, column)) / 150, 4) for column in columns[:4]] == [5.8433, 3.0573, 3.758, 1.1993]
    assert [columns[4].count(species) for species in "012"] == [50, 50, 50]


def test_rows_go_round_and_carry_milliseconds() -> None:
    rows = IrisRows()
    moment = datetime(2026, 1, 2, 3, 4, 5, 678999)
    assert rows.lines(1, moment) == b"2026-01-02 03:04:05.678\t5.1\t3.5\t1.4\t0.2\t0\n"
    assert rows.lines(150, moment).splitlines()[-1] == rows.lines(150, moment).splitlines()[-1]
    assert rows.lines(1, moment).startswith(b"2026-01-02 03:04:05.678\t4.9\t3.0")


def test_percentiles_are_right_to_one_percent() -> None:
    latencies = Latencies()
    for milliseconds in range(1, 1001):
        latencies.add(milliseconds, 1)
    assert latencies.percentile(50) == pytest.approx(500, rel=0.01)
    assert latencies.percentile(99) == pytest.approx(990, rel=0.01)


def test_without_rows_there_is_no_latency() -> None:
    assert Latencies().percentile(50) is None


def test_rows_are_settled_by_whole_inserts() -> None:
    ledger = Ledger()
    ledger.note(10, 10, 0.0)
    ledger.note(30, 20, 1.0)
    ledger.settle(29, 2.0)
    assert (ledger.seen, ledger.backlog) == (10, 20)
    ledger.settle(30, 2.0)
    assert ledger.backlog == 0
    assert ledger.latencies.percentile(100) == pytest.approx(2000, rel=0.01)


@given(
    st.dictionaries(st.integers(1, 50), st.sampled_from("ab")),
    st.lists(st.tuples(st.integers(1, 50), st.sampled_from("ab"))),
)
def test_the_comparison_counts_as_a_slow_one_does(source: dict[int, str], target: list[tuple[int, str]]) -> None:
    def lines(rows: list[tuple[int, str]]) -> list[bytes]:
        return [f"{id}\t{value}\n".encode() for id, value in sorted(rows, key=lambda row: row[0])]

    first: dict[int, str] = {}
    for id, value in sorted(target, key=lambda row: row[0]):
        first.setdefault(id, value)
    found = compare(lines(list(source.items())), lines(target))
    lost = sum(first.get(id) != value for id, value in source.items())
    extra = len(target) - sum(id in first for id in source)
    assert found == Comparison(len(source), len(target), lost, extra)


@pytest.fixture
def two_tables(database: Database) -> tuple[str, str]:
    """The dsn of a source and of a target with 500 equal rows."""
    target = f"{database.name}_target"
    with database.connect() as connection:
        connection.execute(SOURCE_TABLE)
        with connection.cursor() as cursor, cursor.copy(COPY_IN) as copy:
            copy.write(IrisRows().lines(500))
    with psycopg.connect(database.server.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {target} TEMPLATE {database.name}")
    return database.dsn, database.server.dsn(target)


def test_equal_tables_are_equal(two_tables: tuple[str, str]) -> None:
    assert compare_tables(*two_tables) == Comparison(500, 500, 0, 0)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("DELETE FROM iris_data WHERE id IN (1, 250, 500)", Comparison(500, 497, 3, 0)),
        ("UPDATE iris_data SET petal_width = petal_width + 1e-15 WHERE id = 7", Comparison(500, 500, 1, 0)),
        ("UPDATE iris_data SET timestamp = timestamp + '1 microsecond' WHERE id = 7", Comparison(500, 500, 1, 0)),
        ("UPDATE iris_data SET target = NULL WHERE id = 7", Comparison(500, 500, 1, 0)),
        ("INSERT INTO iris_data SELECT 1000, timestamp FROM iris_data WHERE id = 1", Comparison(500, 501, 0, 1)),
        (
            (
                "ALTER TABLE iris_data DROP CONSTRAINT iris_data_pkey;"
                " INSERT INTO iris_data SELECT * FROM iris_data WHERE id < 3"
            ),
            Comparison(500, 502, 0, 2),
        ),
        ("TRUNCATE iris_data", Comparison(500, 0, 500, 0)),
    ],
)
def test_each_kind_of_difference_is_counted(two_tables: tuple[str, str], change: str, expected: Comparison) -> None:
    with psycopg.connect(two_tables[1], autocommit=True) as connection:
        connection.execute(change)  # type: ignore[call-overload]
    assert compare_tables(*two_tables) == expected


def test_a_table_that_is_not_there_is_an_error_not_an_empty_table(database: Database) -> None:
    with pytest.raises(psycopg.OperationalError, match="iris_data"):
        compare_tables(database.dsn, database.dsn)


def test_the_target_table_takes_what_the_source_table_has(database: Database) -> None:
    columns = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'iris_data' ORDER BY 1"
    with database.connect() as connection:
        connection.execute(SOURCE_TABLE)
        source = connection.execute(columns).fetchall()
        connection.execute("DROP TABLE iris_data")
        connection.execute(TARGET_TABLE)
        assert connection.execute(columns).fetchall() == source


def test_the_posted_files_are_the_examples() -> None:
    """The sink's password is corrected in both."""
    assert connector_file(SOURCE_FILE) == json.loads((EXAMPLES / SOURCE_FILE).read_text())
    assert sink_connector() == json.loads((EXAMPLES / SINK_FILE).read_text())


@pytest.mark.parametrize(
    ("name", "posted", "changed"),
    [(SOURCE_FILE, source_connector, {"poll.interval.ms"}), (SINK_FILE, sink_connector, {"connection.password"})],
)
def test_what_is_posted_differs_only_in_what_is_said(
    name: str, posted: Callable[[], dict[str, dict[str, object]]], changed: set[str]
) -> None:
    file, sent = connector_file(name)["config"], posted()["config"]
    assert {key for key in sent if sent[key] != file.get(key)} == changed
    assert file.keys() <= sent.keys()


def test_a_taken_port_is_replaced_and_said() -> None:
    import socket

    said: list[str] = []
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a demo may just have ended there
        if is_free(HOST, 5432):
            other.bind((HOST, 5432))
            other.listen()
        ports = choose_ports(said.append)
        ports.release()
    assert ports.source != 5432
    assert f"port 5432 is taken: the source PostgreSQL listens on {ports.source}" in said


def test_two_demos_that_start_together_do_not_choose_the_same_ports() -> None:
    first = choose_ports([].append)
    second = choose_ports([].append)
    chosen = [*first_ports(first), *first_ports(second)]
    first.release()
    second.release()
    assert len(set(chosen)) == 8


def first_ports(ports: DemoPorts) -> list[int]:
    return [ports.source, ports.target, ports.stack.broker, ports.stack.connect]


SNAPSHOT = Snapshot(12.34, 1_234_567, 1_234_000, 1_230_000, 98_765.4, 12.3, 456.0)


def test_a_plain_line_has_every_figure() -> None:
    out = StringIO()
    Lines(Console(file=out, width=40)).show(SNAPSHOT)
    assert out.getvalue() == (
        "  12.3 s  source 1234567 rows, topic 1234000 records, target 1230000 rows, 98765 rows/s, "
        "latency p50 12 ms p99 456 ms\n"
    )


def test_the_live_table_has_every_figure() -> None:
    console = Console(file=StringIO(), width=100)
    console.print(render(SNAPSHOT))
    assert isinstance(console.file, StringIO)
    shown = console.file.getvalue()
    for figure in ("1,234,567", "1,234,000", "1,230,000", "98,765 rows/s", "p50 12 ms", "p99 456 ms"):
        assert figure in shown


def test_the_rate_is_that_of_the_last_seconds() -> None:
    meter = RateMeter()
    assert meter.rate(0, 0) == 0
    assert meter.rate(1, 100) == 100
    assert [meter.rate(second, 100) for second in (2, 3, 4)][-1] == 0


def test_a_line_is_broken_between_words_on_a_terminal() -> None:
    assert wrapped("posts    the source and the sink", 20) == "posts    the source\n         and the\n         sink"
    assert wrapped("ready    in 2 s", 80) == "ready    in 2 s"
    assert wrapped("one-long-word", 5) == "one-long-word"
