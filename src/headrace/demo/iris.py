"""The iris table of the tutorial, and rows to fill it with: Fisher's 150 flowers, over and over."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import Final

TABLE: Final = "iris_data"
COLUMNS: Final = ("timestamp", "sepal_length", "sepal_width", "petal_length", "petal_width", "target")
_MEASURES = """
    timestamp timestamp,
    sepal_length float8,
    sepal_width float8,
    petal_length float8,
    petal_width float8,
    target int"""
SOURCE_TABLE: Final = f"CREATE TABLE {TABLE} (id serial PRIMARY KEY,{_MEASURES})"
TARGET_TABLE: Final = f"CREATE TABLE {TABLE} (id int PRIMARY KEY,{_MEASURES})"
COPY_IN: Final = f"COPY {TABLE} ({', '.join(COLUMNS)}) FROM STDIN"
COPY_OUT: Final = f"COPY (SELECT id, {', '.join(COLUMNS)} FROM {TABLE} ORDER BY id) TO STDOUT"


def flowers() -> list[tuple[str, ...]]:
    """The measures and the species (0, 1, 2) of Fisher's 150 flowers, as text."""
    lines = files("headrace.demo").joinpath("iris.csv").read_text(encoding="ascii").splitlines()
    return [tuple(line.split(",")) for line in lines[1:]]


class IrisRows:
    """Rows without end, as lines of COPY's text format. Timestamps have milliseconds: the connectors carry no more."""

    def __init__(self) -> None:
        self._tails: Sequence[str] = ["\t" + "\t".join(flower) + "\n" for flower in flowers()]
        self._next = 0

    def lines(self, count: int, now: datetime | None = None) -> bytes:
        """The next `count` rows, all of the same moment (UTC now, where none is given)."""
        moment = (now or datetime.now(UTC)).replace(tzinfo=None).isoformat(" ", "milliseconds")
        tails, start = self._tails, self._next
        self._next = (start + count) % len(tails)
        return "".join([moment + tails[at % len(tails)] for at in range(start, start + count)]).encode("ascii")
