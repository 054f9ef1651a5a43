"""The fold over the offset topic, held against what Java's Connect wrote and answered."""

import orjson
import pytest

from headrace.connect.stores.offset import OffsetState, offset_record
from tests.connect import recordings


def folded() -> OffsetState:
    state = OffsetState()
    for record in recordings.records("connect-offsets"):
        state.apply(record.key, record.value)
    return state


@pytest.mark.parametrize("connector", ["g-src", "g-multi", "g-file", "g-init-stopped", "g-fail"])
def test_offsets_are_those_that_java_answers(connector):
    answer = recordings.rest_answer("GET", f"/connectors/{connector}/offsets")["offsets"]
    ours = [{"partition": partition, "offset": offset} for partition, offset in folded().of_connector(connector)]
    assert sorted(ours, key=repr) == sorted(answer, key=repr)


@pytest.mark.parametrize("cluster", ["connect", "eager", "compatible"])
def test_every_record_is_written_as_java_wrote_it_byte_for_byte(cluster):
    for record in recordings.records(f"{cluster}-offsets"):
        connector, partition = orjson.loads(record.key)
        offset = orjson.loads(record.value) if record.value else None
        assert offset_record(connector, partition, offset) == (record.key, record.value)


def test_a_partition_is_found_by_its_map_in_the_order_of_the_connector():
    state = folded()
    assert state.get("g-multi", {"protocol": "1", "table": "src.public.golden1"}) == {"incrementing": 25}
    assert state.get("g-multi", {"table": "src.public.golden1", "protocol": "1"}) is None


def test_a_tombstone_resets_an_offset():
    assert folded().get("g-late", {"filename": "/var/lib/recording/sample/in.txt"}) is None


def test_a_record_that_makes_no_sense_is_skipped():
    state = OffsetState()
    state.apply(b"no json", b'{"a":1}')
    state.apply(b'["c",{}]', b"no json")
    state.apply(None, b"{}")
    assert state.of_connector("c") == []
