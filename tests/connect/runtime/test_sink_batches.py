"""Consumed columns to batches: runs intersected, repeated records passed over."""

import gc
import weakref
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from headrace.connect.api import Converted, SchemaType, TopicPartition, schema
from headrace.connect.converters.simple_header import SimpleHeaderConverter
from headrace.connect.runtime.host.consumed import Consumed
from headrace.connect.runtime.host.errors import ErrorPolicy
from headrace.connect.runtime.host.headers import Headers
from headrace.connect.runtime.host.sink_batches import batches
from headrace.connect.runtime.host.stages import Stages

STRING = schema(SchemaType.STRING)
OPTIONAL = schema(SchemaType.STRING, optional=True)


class Runs:
    """A converter that gives runs of the lengths it was made with."""

    def __init__(self, *lengths: int) -> None:
        self.lengths = lengths

    def to_connect_column(self, topic: str, payloads: pa.BinaryArray) -> list[Converted]:
        found, start = [], 0
        for number, length in enumerate(self.lengths):
            texts = [
                payload.decode() for payload in payloads[start : start + length].to_pylist() if payload is not None
            ]
            found.append(Converted(start, length, (STRING, OPTIONAL)[number % 2], pa.array(texts)))
            start += length
        return found


def _consumed(offsets: Sequence[int]) -> Consumed:
    rows = len(offsets)
    payloads = pa.array([f"{offset}".encode() for offset in offsets], pa.binary())
    partition, timestamp = np.zeros(rows, np.int32), np.full(rows, 7, np.int64)
    return Consumed("t", "CREATE_TIME", partition, np.array(offsets, np.int64), timestamp, payloads, payloads)


def test_runs_of_keys_and_values_are_intersected_and_rows_keep_their_origin() -> None:
    stages: Any = Stages([], Runs(4, 6), Runs(2, 5, 3), Headers(SimpleHeaderConverter()))  # type: ignore[arg-type]
    made = batches(_consumed(range(100, 110)), stages, ErrorPolicy("k-0"))
    assert [len(batch) for batch in made] == [2, 2, 3, 3]
    assert [batch.value.to_pylist()[0] for batch in made] == ["100", "102", "104", "107"]  # type: ignore[union-attr]
    assert [batch.key.to_pylist()[0] for batch in made] == ["100", "102", "104", "107"]  # type: ignore[union-attr]
    assert [batch.kafka_position(0)[2] for batch in made] == [100, 102, 104, 107]


def test_records_of_equal_headers_share_them() -> None:
    stages: Any = Stages([], Runs(4), Runs(4), Headers(SimpleHeaderConverter()))  # type: ignore[arg-type]
    raw = [[("h", b"5")], None, [("h", b"5")], [("h", b"6")]]
    (made,) = batches(replace(_consumed(range(4)), headers=raw), stages, ErrorPolicy("k-0"))
    assert made.headers is not None
    assert [[header.value for header in row] for row in made.headers] == [[5], [], [5], [6]]
    assert made.headers[0] is made.headers[2]


def test_positions_are_the_offsets_to_go_on_from() -> None:
    assert _consumed([3, 4, 9]).positions() == {TopicPartition("t", 0): 10}


def test_records_below_what_is_delivered_are_passed_over() -> None:
    delivered = {TopicPartition("t", 0): 5}
    assert _consumed([5, 6]).beyond(delivered).offset.tolist() == [5, 6]
    assert _consumed([3, 4, 5, 6, 5, 6, 7]).beyond(delivered).offset.tolist() == [5, 6, 7]
    assert _consumed([3, 4]).beyond(delivered).offset.tolist() == []


def test_consumed_records_are_gone_with_their_batches_without_the_collector() -> None:
    """Fails where decoding leaves a reference cycle: a host collects seldom, and each cycle holds megabytes."""
    stages: Any = Stages([], Runs(10), Runs(10), Headers(SimpleHeaderConverter()))  # type: ignore[arg-type]
    consumed = replace(_consumed(range(10)), headers=[[("h", b"5")]] * 10)
    seen = weakref.ref(consumed.value)
    gc.disable()
    try:
        made = batches(consumed, stages, ErrorPolicy("k-0"))
        assert len(made) == 1
        del consumed, made
        assert seen() is None
    finally:
        gc.enable()
