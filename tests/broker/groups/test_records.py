"""The records of `__consumer_offsets`, against bytes that Apache Kafka 4.3.1 wrote."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.broker.groups import records
from headrace.broker.groups.records import GroupKey, GroupValue, MemberValue, OffsetKey, OffsetValue

TOPIC_ID = UUID("8d2cf377-fe34-4f66-a0d9-f4dbc7550b0c")
OFFSET_KEY = b"\x00\x01\x00\x02g1\x00\x07topic-a\x00\x00\x00\x00"
OFFSET_VALUE = (
    b"\x00\x04\x00\x00\x00\x00\x00\x00\x00\x05\xff\xff\xff\xff\x02x\x00\x00\x01\xa2\x04NfH"
    b"\x01\x00\x10\x8d,\xf3w\xfe4Of\xa0\xd9\xf4\xdb\xc7U\x0b\x0c"
)
GROUP_KEY = b"\x00\x02\x00\njoin-30d2f"
EMPTY_GROUP_VALUE = b"\x00\x03\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\x00\x00\x01\xa2\x04P\xff\xda\x00\x00\x00\x00"
MEMBER_ID = "contract-71b1fd6f-776d-40c3-99e5-7b450f33b2f4"
STABLE_GROUP_VALUE = (
    b"\x00\x03\x00\x08consumer\x00\x00\x00\x01\x00\x05range\x00-" + MEMBER_ID.encode() + b"\x00\x00\x01\xa2\x04Q\x00X"
    b"\x00\x00\x00\x01\x00-" + MEMBER_ID.encode() + b"\xff\xff\x00\x08contract\x00\n/127.0.0.1"
    b"\x00\x00\x13\x88\x00\x00'\x10\x00\x00\x00\x04meta\x00\x00\x00\x08assigned"
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
longs = st.integers(-(2**63), 2**63 - 1)
ints = st.integers(-(2**31), 2**31 - 1)


def test_an_offset_is_written_as_apache_kafka_writes_it() -> None:
    value = OffsetValue(5, -1, "x", 1795368576584, topic_id=TOPIC_ID)
    assert records.offset_key(OffsetKey("g1", "topic-a", 0)) == OFFSET_KEY
    assert records.offset_value(value) == OFFSET_VALUE
    assert records.read_key(OFFSET_KEY) == OffsetKey("g1", "topic-a", 0)
    assert records.read_offset_value(OFFSET_VALUE) == value


def test_a_group_is_written_as_apache_kafka_writes_it() -> None:
    member = MemberValue(MEMBER_ID, None, "contract", "/127.0.0.1", 5000, 10000, b"meta", b"assigned")
    stable = GroupValue("consumer", 1, "range", MEMBER_ID, 1795368747096, (member,))
    empty = GroupValue("", 0, None, None, 1795368746970)
    assert records.group_key("join-30d2f") == GROUP_KEY
    assert records.read_key(GROUP_KEY) == GroupKey("join-30d2f")
    assert records.group_value(stable) == STABLE_GROUP_VALUE
    assert records.read_group_value(STABLE_GROUP_VALUE) == stable
    assert records.group_value(empty) == EMPTY_GROUP_VALUE
    assert records.read_group_value(EMPTY_GROUP_VALUE) == empty


@pytest.mark.parametrize(
    ("group_id", "partition"), [("g1", 42), ("", 0), ("gnone", 5), ("join-30d2f", 4), ("join-30d2fv0", 18)]
)
def test_a_groups_partition_is_apache_kafkas(group_id: str, partition: int) -> None:
    assert records.partition_for(group_id, 50) == partition


def test_the_one_hash_that_has_no_absolute_value_goes_to_partition_0() -> None:
    assert records.partition_for("polygenelubricants", 50) == 0  # its String.hashCode is Integer.MIN_VALUE


def test_a_key_of_the_new_consumer_protocol_is_passed_over() -> None:
    assert records.read_key(b"\x00\x03\x00\x02g1") is None


@given(longs, ints, texts, st.integers(0, 2**62), st.none() | st.uuids())
def test_offsets_come_back(offset: int, epoch: int, metadata: str, at_ms: int, topic_id: UUID | None) -> None:
    value = OffsetValue(offset, epoch, metadata, at_ms, topic_id=topic_id)
    assert records.read_offset_value(records.offset_value(value)) == value


@given(longs, texts, st.integers(0, 2**62), st.integers(0, 2**62))
def test_offsets_with_a_time_to_expire_come_back(offset: int, metadata: str, at_ms: int, expire_ms: int) -> None:
    value = OffsetValue(offset, -1, metadata, at_ms, expire_ms)
    assert records.read_offset_value(records.offset_value(value)) == value


members = st.builds(
    MemberValue, texts, st.none() | texts, texts, texts, st.integers(0, 2**31 - 1), ints, st.binary(), st.binary()
)


@given(texts, ints, st.none() | texts, st.none() | texts, longs, st.lists(members, max_size=3).map(tuple))
def test_groups_come_back(
    kind: str, generation: int, protocol: str | None, leader: str | None, at_ms: int, some: tuple[MemberValue, ...]
) -> None:
    value = GroupValue(kind, generation, protocol, leader, at_ms, some)
    assert records.read_group_value(records.group_value(value)) == value


def test_what_older_brokers_wrote_is_read() -> None:
    v0 = b"\x00\x00" + (9).to_bytes(8, "big") + b"\x00\x01m" + (77).to_bytes(8, "big")
    assert records.read_offset_value(v0) == OffsetValue(9, -1, "m", 77)
    v3 = b"\x00\x03" + (9).to_bytes(8, "big") + (4).to_bytes(4, "big") + b"\x00\x00" + (77).to_bytes(8, "big")
    assert records.read_offset_value(v3) == OffsetValue(9, 4, "", 77)
