"""Offsets: the exact maps, and times that are complete."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.jdbc.dialects import TableId
from headrace.jdbc.source.offsets import Offsets, Position, complete_times, offset_of, partitions, position


def test_partitions_are_those_of_the_known_connectors_the_one_to_write_first() -> None:
    assert partitions(TableId("public", "iris_data")) == [
        {"protocol": "1", "table": "public.iris_data"},
        {"table": "iris_data"},
    ]
    assert list(partitions(TableId("public", "t"))[0]) == ["protocol", "table"], "keys are compared as bytes"
    assert partitions(None) == [{"query": "query"}]


@pytest.mark.parametrize(
    ("at", "offset"),
    [
        (Position(None, 191), {"incrementing": 191}),
        (Position(1704067200123456, None), {"timestamp": 1704067200123, "timestamp_nanos": 123456000}),
        (Position(-1, None), {"timestamp": -1, "timestamp_nanos": 999999000}),
        (Position(5, 6), {"incrementing": 6, "timestamp": 0, "timestamp_nanos": 5000}),
        (Position(), {}),
    ],
)
def test_the_exact_maps(at: Position, offset: dict[str, int]) -> None:
    assert offset_of(at) == offset
    assert position(offset) == at


def test_an_old_offset_without_nanoseconds_is_read() -> None:
    assert position({"timestamp": 1704067200123}) == Position(1704067200123000, None)
    assert position(None) == Position()


@given(st.integers(-(2**55), 2**55), st.integers(-(2**63), 2**63 - 1))
def test_an_offset_reads_back_as_what_it_was(time_us: int, incrementing: int) -> None:
    assert position(offset_of(Position(time_us, incrementing))) == Position(time_us, incrementing)


@given(
    st.lists(st.integers(0, 5), min_size=1).map(sorted),
    st.one_of(st.none(), st.integers(-3, -1)),
    st.one_of(st.none(), st.integers(5, 6)),
)
def test_a_time_is_named_only_when_all_its_rows_are_out(
    times: list[int], before: int | None, following: int | None
) -> None:
    found = Offsets(len(times), complete_times(np.array(times, np.int64), before, following))
    everything = times + ([] if following is None else [following])
    for row in range(len(times)):
        later = everything[row + 1 :]
        complete = [time for time in times[: row + 1] if time not in later]
        assert found.position(row).time_us == (max(complete) if complete else before)


def test_offsets_are_a_sequence_that_makes_its_maps_when_asked() -> None:
    offsets = Offsets(4, incrementing=np.array([3, 5, 8, 13], np.int64))
    assert (
        len(offsets) == 4
        and offsets[-1] == {"incrementing": 13}
        and list(offsets[1:3])
        == [
            {"incrementing": 5},
            {"incrementing": 8},
        ]
    )
    with pytest.raises(IndexError):
        offsets[4]
