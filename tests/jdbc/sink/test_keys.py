"""Which rows of a batch count, held against a plain dict."""

from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.jdbc.sink.postgresql.keys import last_of_each
from headrace.jdbc.sink.postgresql.table import cut_name, parse_name

KEYS = st.lists(st.tuples(st.integers(-3, 3), st.sampled_from(["", "a", "b", "é", "漢"]), st.booleans()))


@settings(deadline=None)
@given(KEYS)
def test_the_last_row_of_each_key_counts_in_the_keys_order(rows: list[tuple[int, str, bool]]) -> None:
    columns = [
        pa.array([row[0] for row in rows], pa.int32()),
        pa.array([row[1] for row in rows], pa.string()),
        pa.array([row[2] for row in rows], pa.bool_()),
    ]
    kept = last_of_each(columns)
    found = list(range(len(rows))) if kept is None else kept.to_pylist()
    last = {row: number for number, row in enumerate(rows)}
    assert found == [last[row] for row in sorted(last)]


@settings(deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_one_key_that_rises_already_is_left_alone(values: list[int]) -> None:
    kept = last_of_each([pa.array(values, pa.int64())])
    rises = values == sorted(set(values))
    assert (kept is None) == rises
    if kept is not None:
        assert [values[row] for row in kept.to_pylist()] == sorted(set(values))


@settings(deadline=None)
@given(st.text(max_size=100))
def test_a_name_is_cut_at_63_bytes_between_characters(name: str) -> None:
    cut = cut_name(name)
    assert name.startswith(cut)
    assert len(cut.encode()) <= 63
    assert cut == name or len(name[: len(cut) + 1].encode()) > 63


def test_names_are_read_with_and_without_quotes() -> None:
    cases: dict[str, Any] = {
        "t": (None, "t"),
        "S.T": ("S", "T"),
        "db.s.t": ("s", "t"),
        '"a.b"': (None, "a.b"),
        's."x""y"': ("s", 'x"y'),
    }
    for text, (schema, name) in cases.items():
        found = parse_name(text)
        assert (found.schema, found.name) == (schema, name)
    folded = parse_name('Public."Iris"', fold=True)
    assert (folded.schema, folded.name) == ("public", "Iris")
