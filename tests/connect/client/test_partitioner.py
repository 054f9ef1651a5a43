"""Partitions by key, against two other implementations."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as library_murmur2

from headrace.connect.client.partitioner import murmur2, partitions_of

keys = st.lists(st.one_of(st.none(), st.binary(max_size=5), st.binary(max_size=70)), min_size=1, max_size=60)


@given(keys, st.integers(1, 50), st.integers(0, 5))
def test_keys_go_where_the_library_sends_them(keys: list[bytes | None], count: int, skipped: int):
    column = pa.array([b"before"] * skipped + keys, pa.binary())[skipped:]
    wanted = [0 if key is None else (library_murmur2(key) & 0x7FFFFFFF) % count for key in keys]
    assert partitions_of(column, count, 0).tolist() == wanted
    assert partitions_of(column.cast(pa.large_binary()), count, 0).tolist() == wanted


def test_hashes_are_those_of_javas_own_test():
    """`UtilsTest.testMurmur2` of Apache Kafka."""
    cases = {
        b"21": -973932308,
        b"foobar": -790332482,
        b"a-little-bit-long-string": -985981536,
        b"a-little-bit-longer-string": -1486304829,
        b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
        b"abc": 479470107,
    }
    for key, wanted in cases.items():
        (found,) = murmur2(np.frombuffer(key, np.uint8)[None, :])
        assert int(found.astype(np.int32)) == wanted
