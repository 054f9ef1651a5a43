"""What the demo shows while it runs: a live table on a terminal, a line a second elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

LINE_S = 1.0
TABLE_S = 0.25


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The pipeline at one moment, `seconds` after the generator began; latencies in ms, None before the first row."""

    seconds: float
    source_rows: int
    topic_records: int
    target_rows: int
    rows_per_s: float
    p50: float | None
    p99: float | None
    activity: str = "running"

    def line(self) -> str:
        return (
            f"{self.seconds:6.1f} s  source {self.source_rows} rows, topic {self.topic_records} records, "
            f"target {self.target_rows} rows, {self.rows_per_s:.0f} rows/s, "
            f"latency p50 {milliseconds(self.p50)} p99 {milliseconds(self.p99)}"
        )


def milliseconds(value: float | None) -> str:
    """A latency as people read it.

    >>> milliseconds(3.14159), milliseconds(123.456), milliseconds(None)
    ('3.1 ms', '123 ms', '-')
    """
    if value is None:
        return "-"
    return f"{value:.1f} ms" if value < 10 else f"{value:.0f} ms"


class View(Protocol):
    """`interval_s`: how often it wants to be shown something."""

    interval_s: float

    def show(self, snapshot: Snapshot) -> None: ...


class Lines:
    """Plain lines, for files and pipes."""

    interval_s = LINE_S

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, snapshot: Snapshot) -> None:
        self._console.print(snapshot.line(), highlight=False, soft_wrap=True)


class LiveTable:
    """A table that stays where it is."""

    interval_s = TABLE_S

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, snapshot: Snapshot) -> None:
        self._live.update(render(snapshot), refresh=True)


def render(snapshot: Snapshot) -> RenderableType:
    """The live table."""
    path = Table.grid(padding=(0, 2))
    for _ in range(5):
        path.add_column(justify="center")
    arrow = Text("──▶", style="dim")
    path.add_row(
        Text("source PostgreSQL", style="bold"),
        arrow,
        Text("Kafka topic", style="bold"),
        arrow,
        Text("target PostgreSQL", style="bold"),
    )
    path.add_row(
        _number(snapshot.source_rows, "rows"),
        "",
        _number(snapshot.topic_records, "records"),
        "",
        _number(snapshot.target_rows, "rows"),
    )
    figures = Table.grid(padding=(0, 2))
    figures.add_row(_label("throughput"), f"{snapshot.rows_per_s:,.0f} rows/s into the target")
    latency = f"p50 {milliseconds(snapshot.p50)}   p99 {milliseconds(snapshot.p99)}"
    figures.add_row(_label("latency"), f"{latency}   from insert to visible in the target")
    figures.add_row(_label(snapshot.activity), f"{snapshot.seconds:.0f} s")
    return Group(Text(), path, Text(), figures, Text())


def _number(value: int, unit: str) -> Text:
    return Text.assemble((f"{value:,}", "bold cyan"), f" {unit}")


def _label(text: str) -> Text:
    return Text(text, style="dim")


@contextmanager
def view_on(console: Console) -> Iterator[View]:
    """The view that suits the console."""
    if not console.is_terminal:
        yield Lines(console)
        return
    with Live(console=console, auto_refresh=False, transient=False) as live:
        yield LiveTable(live)
