"""Connectors on the screen: tables with colours on a terminal, aligned text elsewhere (for awk, grep and logs)."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from headrace.cli.connectors.state import ConnectorView, first_sentence

COLOURS: Final = {
    "RUNNING": "green",
    "FAILED": "bold red",
    "PAUSED": "yellow",
    "STOPPED": "yellow",
    "UNASSIGNED": "dim",
    "RESTARTING": "cyan",
}


def coloured(state: str) -> Text:
    return Text(state, COLOURS.get(state, ""))


def show_list(console: Console, connectors: Sequence[ConnectorView]) -> None:
    """One row a connector, with the first sentence of what failed."""
    heads = ("NAME", "TYPE", "STATE", "TASKS", "ERROR")
    rows = [(each.name, each.type, each.state, each.summary, first_sentence(each.error)) for each in connectors]
    show_rows(console, heads, rows, state_column=2)


def show_tasks(console: Console, connector: ConnectorView) -> None:
    """One row a task, with all of the line that says what failed."""
    rows = [(str(task.id), task.state, task.worker, task.error) for task in connector.tasks]
    show_rows(console, ("TASK", "STATE", "WORKER", "ERROR"), rows, state_column=1)


def show_rows(
    console: Console, heads: Sequence[str], rows: Sequence[Sequence[str]], state_column: int | None = None
) -> None:
    """A table; a last column that is empty everywhere is left out."""
    if not any(row[-1] for row in rows):
        heads, rows = heads[:-1], [row[:-1] for row in rows]
    if not console.is_terminal:
        show_plain(console, [heads, *rows])
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column, head in enumerate(heads):
        # Names and states stay whole, to be copied; what is long is in the last column, and takes more lines.
        widest = max(len(row[column]) for row in [heads, *rows])
        table.add_column(head, overflow="fold", min_width=widest if column < len(heads) - 1 else None)
    for row in rows:
        table.add_row(*(coloured(text) if column == state_column else Text(text) for column, text in enumerate(row)))
    console.print(table)


def show_plain(console: Console, rows: Sequence[Sequence[str]]) -> None:
    """Columns that are aligned and never cut, two blanks apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        console.out(line.rstrip(), highlight=False)
