"""Produce (key 0): what is appended, what is refused, and how it is said."""

import struct
import uuid

import pytest
from kafka.protocol.metadata import ApiVersionsRequest

from tests.contract.data_client import (
    batch,
    create_topic,
    fetch,
    from_producer,
    now_ms,
    produce,
    produce_request,
    with_attributes,
    with_last_delta,
)
from tests.contract.wire_client import WireClient

CORRUPT_MESSAGE = 2
UNKNOWN_TOPIC_OR_PARTITION = 3
MESSAGE_TOO_LARGE = 10
INVALID_TOPIC = 17
INVALID_REQUIRED_ACKS = 21
INVALID_TIMESTAMP = 32
OUT_OF_ORDER_SEQUENCE = 45
INVALID_PRODUCER_EPOCH = 47
TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53
UNSUPPORTED_COMPRESSION = 76
INVALID_RECORD = 87
UNKNOWN_TOPIC_ID = 100


@pytest.fixture
def topic(wire: WireClient, topic_name: str) -> str:
    assert create_topic(wire, topic_name).error_code == 0
    return topic_name


@pytest.mark.parametrize("version", range(3, 13))
def test_every_version_by_name_appends(wire: WireClient, topic: str, version: int) -> None:
    assert produce(wire, topic, batch(b"a", b"b"), version=version).base_offset == 0
    second = produce(wire, topic, batch(b"c"), version=version)
    assert (second.error_code, second.base_offset, second.log_append_time_ms) == (0, 2, -1)
    assert second.log_start_offset == (0 if version >= 5 else -1)


def test_version_13_appends_by_topic_id(wire: WireClient, topic_name: str) -> None:
    topic_id = create_topic(wire, topic_name).topic_id
    assert produce(wire, topic_id, batch(b"a"), version=13).error_code == 0
    assert produce(wire, uuid.uuid4(), batch(b"a"), version=13).error_code == UNKNOWN_TOPIC_ID


def test_without_acknowledgement_nothing_is_answered_and_all_is_appended(wire: WireClient, topic: str) -> None:
    wire.post(produce_request(topic, batch(b"a"), acks=0), 12)
    wire._posted.clear()
    wire._correlation_id = 0
    assert wire.call(ApiVersionsRequest(), 0).error_code == 0
    assert fetch(wire, topic).high_watermark == 1


def test_an_error_without_acknowledgement_closes_the_connection(wire: WireClient, topic: str) -> None:
    wire.post(produce_request(topic, batch(b"a"), acks=0, partition=7), 12)
    assert wire.receive_frame() == b""


def test_a_partition_that_is_not_there_is_unknown(wire: WireClient, topic: str) -> None:
    for answer in (produce(wire, topic, batch(b"a"), partition=7), produce(wire, topic + "x", batch(b"a"))):
        assert (answer.error_code, answer.base_offset, answer.log_start_offset) == (UNKNOWN_TOPIC_OR_PARTITION, -1, -1)


def test_acknowledgements_are_0_1_or_all(wire: WireClient, topic: str) -> None:
    assert produce(wire, topic, batch(b"a"), acks=2).error_code == INVALID_REQUIRED_ACKS
    assert produce(wire, topic, batch(b"a"), acks=1).error_code == 0


def test_all_replicas_are_never_more_than_there_are(wire: WireClient, topic_name: str) -> None:
    create_topic(wire, topic_name, configs={"min.insync.replicas": "2"})
    assert produce(wire, topic_name, batch(b"a"), acks=-1).error_code == 0
    assert produce(wire, topic_name, batch(b"a"), acks=1).error_code == 0


@pytest.mark.parametrize("at", [22, 26, 60, -1], ids=["attributes", "last delta", "count", "records"])
def test_a_flipped_bit_is_corrupt(wire: WireClient, topic: str, at: int) -> None:
    records = batch(b"a", b"b")
    records[at] ^= 1
    answer = produce(wire, topic, records)
    assert (answer.error_code, answer.base_offset, answer.log_start_offset) == (CORRUPT_MESSAGE, -1, -1)
    assert fetch(wire, topic).high_watermark == 0


@pytest.mark.parametrize("fault", ["empty", "header only in part", "cut", "two batches", "magic 1"])
def test_anything_but_one_whole_batch_of_magic_2_is_invalid(wire: WireClient, topic: str, fault: str) -> None:
    good = batch(b"a", b"b")
    old = bytearray(good)
    old[16] = 1
    records = {
        "empty": b"",
        "header only in part": good[:30],
        "cut": good[:-3],
        "two batches": good + good,
        "magic 1": old,
    }[fault]
    answer = produce(wire, topic, records)
    assert (answer.error_code, answer.log_start_offset) == (INVALID_RECORD, -1)


def test_a_header_that_contradicts_itself_is_invalid(wire: WireClient, topic: str) -> None:
    based = batch(b"a", b"b")
    struct.pack_into(">q", based, 0, 5)
    for records in (with_last_delta(batch(b"a", b"b"), 5), based, with_attributes(batch(b"a"), 0x20)):
        answer = produce(wire, topic, records)
        assert (answer.error_code, answer.base_offset, answer.log_start_offset) == (INVALID_RECORD, -1, 0)


def test_a_transactional_batch_without_a_transaction_is_not_authorized(wire: WireClient, topic: str) -> None:
    answer = produce(wire, topic, with_attributes(batch(b"a"), 0x10))
    assert answer.error_code == TRANSACTIONAL_ID_AUTHORIZATION_FAILED


def test_a_timestamp_far_in_the_future_is_refused_with_its_record(wire: WireClient, topic: str) -> None:
    answer = produce(wire, topic, batch(b"a", timestamps=[now_ms() + 10**8]))
    assert (answer.error_code, answer.log_start_offset) == (INVALID_TIMESTAMP, 0)
    assert answer.error_message == "One or more records have been rejected due to invalid timestamp"
    assert [error.batch_index for error in answer.record_errors] == [0]


def test_a_batch_larger_than_the_topic_allows_is_too_large(wire: WireClient, topic_name: str) -> None:
    create_topic(wire, topic_name, configs={"max.message.bytes": "200"})
    assert produce(wire, topic_name, batch(b"v" * 300)).error_code == MESSAGE_TOO_LARGE
    assert produce(wire, topic_name, batch(b"v" * 50)).error_code == 0


def test_zstd_needs_version_7(wire: WireClient, topic: str) -> None:
    assert produce(wire, topic, with_attributes(batch(b"a"), 4), version=6).error_code == UNSUPPORTED_COMPRESSION


def test_log_append_time_is_the_brokers(wire: WireClient, topic_name: str) -> None:
    create_topic(wire, topic_name, configs={"message.timestamp.type": "LogAppendTime"})
    before = now_ms()
    answer = produce(wire, topic_name, batch(b"a", timestamps=[5]))
    assert before <= answer.log_append_time_ms <= now_ms()
    records = fetch(wire, topic_name).records
    attributes, max_timestamp = struct.unpack_from(">h", records, 21)[0], struct.unpack_from(">q", records, 35)[0]
    assert (attributes & 0x08, max_timestamp) == (0x08, answer.log_append_time_ms)


def test_a_producer_cannot_claim_append_time(wire: WireClient, topic: str) -> None:
    assert produce(wire, topic, with_attributes(batch(b"a", timestamps=[5]), 0x08)).error_code == 0
    attributes, _, _, max_timestamp = struct.unpack_from(">hiqq", fetch(wire, topic).records, 21)
    assert (attributes & 0x08, max_timestamp) == (0, 5)


def test_a_compacted_topic_names_the_records_without_a_key(wire: WireClient, topic_name: str) -> None:
    create_topic(wire, topic_name, configs={"cleanup.policy": "compact"})
    assert produce(wire, topic_name, batch(b"a")).error_code == 0
    answer = produce(wire, topic_name, batch(b"a", b"b", key=None))
    text = f"Compacted topic cannot accept message without key in topic partition {topic_name}-0"
    assert answer.error_code == INVALID_RECORD
    assert [(error.batch_index, error.batch_index_error_message) for error in answer.record_errors] == [
        (0, text),
        (1, text),
    ]
    assert answer.error_message == (
        "One or more records have been rejected due to 2 record errors in total, and only showing the first three "
        f"errors at most: [RecordError(batchIndex=0, message='{text}'), RecordError(batchIndex=1, message='{text}')]"
    )


def test_internal_topics_are_not_for_clients(wire: WireClient) -> None:
    answer = produce(wire, "__consumer_offsets", batch(b"a"))
    assert answer.error_code in (INVALID_TOPIC, UNKNOWN_TOPIC_OR_PARTITION)


class TestIdempotence:
    """KIP-98: sequence numbers per producer, epoch and partition."""

    def test_a_retry_is_answered_with_the_first_offset_and_appended_once(self, wire: WireClient, topic: str) -> None:
        for sequence in range(0, 10, 2):
            produce(wire, topic, from_producer(batch(b"a", b"b"), 41, 0, sequence))
        for sequence in range(0, 10, 2):
            again = produce(wire, topic, from_producer(batch(b"a", b"b"), 41, 0, sequence))
            assert (again.error_code, again.base_offset) == (0, sequence)
        assert fetch(wire, topic).high_watermark == 10

    def test_a_retry_is_answered_with_the_time_of_its_batch(self, wire: WireClient, topic: str) -> None:
        time_ms = now_ms() - 5000
        first, again = (
            produce(wire, topic, from_producer(batch(b"a", timestamps=[time_ms]), 47, 0, 0)) for _ in range(2)
        )
        assert (first.log_append_time_ms, again.log_append_time_ms) == (-1, time_ms)

    def test_a_retry_older_than_five_batches_is_out_of_order(self, wire: WireClient, topic: str) -> None:
        for sequence in range(6):
            produce(wire, topic, from_producer(batch(b"a"), 41, 0, sequence))
        assert produce(wire, topic, from_producer(batch(b"a"), 41, 0, 0)).error_code == OUT_OF_ORDER_SEQUENCE

    def test_a_gap_is_out_of_order(self, wire: WireClient, topic: str) -> None:
        produce(wire, topic, from_producer(batch(b"a"), 42, 0, 0))
        assert produce(wire, topic, from_producer(batch(b"a"), 42, 0, 2)).error_code == OUT_OF_ORDER_SEQUENCE

    def test_an_unknown_producer_may_begin_anywhere(self, wire: WireClient, topic: str) -> None:
        assert produce(wire, topic, from_producer(batch(b"a"), 43, 0, 17)).error_code == 0

    def test_a_new_epoch_begins_at_zero_and_fences_the_old_one(self, wire: WireClient, topic: str) -> None:
        produce(wire, topic, from_producer(batch(b"a"), 44, 0, 0))
        assert produce(wire, topic, from_producer(batch(b"a"), 44, 1, 5)).error_code == OUT_OF_ORDER_SEQUENCE
        assert produce(wire, topic, from_producer(batch(b"a"), 44, 1, 0)).error_code == 0
        assert produce(wire, topic, from_producer(batch(b"a"), 44, 0, 1)).error_code == INVALID_PRODUCER_EPOCH

    def test_sequence_numbers_wrap_to_zero(self, wire: WireClient, topic: str) -> None:
        assert produce(wire, topic, from_producer(batch(b"a", b"b"), 45, 0, 2**31 - 2)).error_code == 0
        assert produce(wire, topic, from_producer(batch(b"a"), 45, 0, 0)).error_code == 0

    def test_a_producer_id_needs_a_sequence_number(self, wire: WireClient, topic: str) -> None:
        assert produce(wire, topic, from_producer(batch(b"a"), 46, 0, -1)).error_code == INVALID_RECORD
