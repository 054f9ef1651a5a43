"""Fetch (key 1): which bytes come, how many, and when."""

import time
import uuid
from collections.abc import Callable
from threading import Thread

import pytest
from kafka.protocol.admin.topics import DeleteTopicsRequest

from tests.contract.data_client import batch, create_topic, fetch, fetch_request, produce
from tests.contract.wire_client import WireClient

OFFSET_OUT_OF_RANGE = 1
UNKNOWN_TOPIC_OR_PARTITION = 3
FETCH_SESSION_ID_NOT_FOUND = 70
UNKNOWN_LEADER_EPOCH = 75
UNKNOWN_TOPIC_ID = 100


@pytest.fixture
def topic(wire: WireClient, topic_name: str) -> str:
    """Two partitions; in the first two batches of two records each."""
    create_topic(wire, topic_name, partitions=2)
    for value in (b"a", b"b"):
        produce(wire, topic_name, batch(value, value))
    return topic_name


def _base_offsets(records: bytes) -> list[int]:
    offsets, position = [], 0
    while position + 12 <= len(records):
        offsets.append(int.from_bytes(records[position : position + 8], "big"))
        position += 12 + int.from_bytes(records[position + 8 : position + 12], "big")
    return offsets


@pytest.mark.parametrize("version", range(4, 13))
def test_every_version_by_name_gets_the_batches(wire: WireClient, topic: str, version: int) -> None:
    part = fetch(wire, topic, version=version)
    assert (part.error_code, part.high_watermark, part.last_stable_offset) == (0, 4, 4)
    assert part.log_start_offset == (0 if version >= 5 else -1)
    assert part.aborted_transactions is None
    assert _base_offsets(part.records) == [0, 2]


@pytest.mark.parametrize("version", range(13, 19))
def test_every_version_by_id_gets_the_batches(wire: WireClient, topic_name: str, version: int) -> None:
    topic_id = create_topic(wire, topic_name).topic_id
    produce(wire, topic_name, batch(b"a"))
    assert _base_offsets(fetch(wire, topic_id, version=version).records) == [0]
    unknown = fetch(wire, uuid.uuid4(), version=version)
    assert (unknown.error_code, unknown.high_watermark, unknown.aborted_transactions) == (UNKNOWN_TOPIC_ID, -1, [])


def test_a_fetch_begins_with_the_batch_that_holds_the_offset(wire: WireClient, topic: str) -> None:
    assert _base_offsets(fetch(wire, topic, 1).records) == [0, 2]
    assert _base_offsets(fetch(wire, topic, 3).records) == [2]


def test_readers_of_committed_records_get_an_empty_list_of_aborted_transactions(wire: WireClient, topic: str) -> None:
    assert fetch(wire, topic, isolation_level=1).aborted_transactions == []


def test_at_the_end_there_is_nothing_and_beyond_it_an_error(wire: WireClient, topic: str) -> None:
    at_end = fetch(wire, topic, 4)
    assert (at_end.error_code, at_end.high_watermark, at_end.records) == (0, 4, b"")
    for offset in (5, -1):
        beyond = fetch(wire, topic, offset)
        assert (beyond.error_code, beyond.high_watermark, beyond.log_start_offset) == (OFFSET_OUT_OF_RANGE, -1, -1)


def test_a_partition_that_is_not_there_is_unknown(wire: WireClient, topic: str) -> None:
    for answer in (fetch(wire, topic, partitions=[9]), fetch(wire, topic + "x")):
        assert (answer.error_code, answer.aborted_transactions) == (UNKNOWN_TOPIC_OR_PARTITION, [])


def test_the_first_batch_comes_whole_however_small_the_limit(wire: WireClient, topic: str) -> None:
    for limits in ({"max_bytes": 10}, {"partition_max_bytes": 10}, {"max_bytes": 0}, {"partition_max_bytes": 0}):
        assert _base_offsets(fetch(wire, topic, **limits).records) == [0]


def test_a_limit_may_cut_a_later_batch(wire: WireClient, topic: str) -> None:
    whole = fetch(wire, topic).records
    assert fetch(wire, topic, max_bytes=len(whole) - 7).records == whole[:-7]


def test_only_the_first_partition_with_records_exceeds_the_limit(wire: WireClient, topic: str) -> None:
    produce(wire, topic, batch(b"c"), partition=1)
    answer = wire.call(fetch_request(topic, 0, partitions=[0, 1], max_bytes=10), 12)
    first, second = answer.responses[0].partitions
    assert _base_offsets(first.records) == [0]
    assert (second.error_code, second.high_watermark, second.records) == (0, 1, b"")


def test_an_epoch_from_the_future_is_unknown(wire: WireClient, topic: str) -> None:
    assert fetch(wire, topic, current_leader_epoch=99).error_code == UNKNOWN_LEADER_EPOCH


def test_an_unknown_last_fetched_epoch_is_out_of_range(wire: WireClient, topic: str) -> None:
    assert fetch(wire, topic, last_fetched_epoch=99).error_code == OFFSET_OUT_OF_RANGE


def test_a_session_that_is_not_kept_is_not_found(wire: WireClient, topic: str) -> None:
    for session_id in (0, 77):
        answer = wire.call(fetch_request(topic, 0, session_id=session_id, session_epoch=3), 12)
        assert (answer.error_code, answer.session_id, answer.responses) == (FETCH_SESSION_ID_NOT_FOUND, 0, [])


def test_a_fetch_waits_for_its_time_where_nothing_comes(wire: WireClient, topic: str) -> None:
    before = time.monotonic()
    assert fetch(wire, topic, 4, max_wait_ms=300).records == b""
    assert 0.25 < time.monotonic() - before < 5


def test_a_waiting_fetch_is_answered_by_an_append(
    wire: WireClient, connect: Callable[[], WireClient], topic: str
) -> None:
    wire.post(fetch_request(topic, 4, max_wait_ms=20_000), 12)
    assert not wire.is_answered(within_s=0.2)
    before = time.monotonic()
    produce(connect(), topic, batch(b"c"))
    part = wire.receive().responses[0].partitions[0]
    assert time.monotonic() - before < 5
    assert _base_offsets(part.records) == [4]


def test_a_fetch_waits_until_enough_bytes_are_there(
    wire: WireClient, connect: Callable[[], WireClient], topic: str
) -> None:
    producer = connect()
    wire.post(fetch_request(topic, 4, max_wait_ms=20_000, min_bytes=250), 12)
    produce(producer, topic, batch(b"v" * 100))
    assert not wire.is_answered(within_s=0.2)
    produce(producer, topic, batch(b"v" * 100))
    assert _base_offsets(wire.receive().responses[0].partitions[0].records) == [4, 5]


def test_a_fetch_with_an_error_does_not_wait(wire: WireClient, topic: str) -> None:
    wire.post(fetch_request(topic, 9, max_wait_ms=20_000), 12)
    wire.post(fetch_request(topic, 0, partitions=[9], max_wait_ms=20_000), 12)
    assert wire.is_answered(within_s=5)
    assert wire.receive().responses[0].partitions[0].error_code == OFFSET_OUT_OF_RANGE
    assert wire.is_answered(within_s=5)


def test_a_partition_that_is_not_there_does_not_end_the_wait_for_others(wire: WireClient, topic: str) -> None:
    wire.post(fetch_request(topic, 4, partitions=[0, 9], max_wait_ms=600), 12)
    assert not wire.is_answered(within_s=0.2)
    errors = [part.error_code for part in wire.receive().responses[0].partitions]
    assert sorted(errors) == [0, UNKNOWN_TOPIC_OR_PARTITION]


def test_requests_of_one_connection_are_answered_in_their_order(wire: WireClient, topic: str) -> None:
    wire.post(fetch_request(topic, 4, max_wait_ms=300), 12)
    wire.post(fetch_request(topic, 0), 12)
    assert wire.receive().responses[0].partitions[0].records == b""
    assert _base_offsets(wire.receive().responses[0].partitions[0].records) == [0, 2]


def test_deleting_the_topic_ends_the_wait(wire: WireClient, connect: Callable[[], WireClient], topic: str) -> None:
    wire.post(fetch_request(topic, 4, max_wait_ms=20_000), 12)
    before = time.monotonic()
    deleting = Thread(target=lambda: connect().call(DeleteTopicsRequest(topic_names=[topic], timeout_ms=5000), 5))
    deleting.start()
    part = wire.receive().responses[0].partitions[0]
    deleting.join()
    assert part.error_code != 0
    assert time.monotonic() - before < 10
