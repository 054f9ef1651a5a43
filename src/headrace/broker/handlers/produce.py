"""Produce (API key 0): append record batches to partitions.

Behaviour: each partition's batch is checked and appended by itself, as it came; acks=0 gets no answer; acks=1 and -1
answer after the append (there is one replica), after a flush where `flush.messages` asks for one. A disk that refuses
is KAFKA_STORAGE_ERROR, and nothing of the batch is left. With acks=0 an error closes the connection, which is how
Apache Kafka tells such a producer to look again.
Versions: 3-13, reported from 0 (KAFKA-18659). 7 zstd; 8 error texts; 9 flexible; 10 current leader (KIP-951);
11-12 transactions, part 2 (KIP-890); 13 topic ids.
Not offered: message formats before v2 (KIP-724); transactional batches, until there are transactions.
"""

from collections.abc import Callable
from typing import Final

from headrace.broker.dispatch import PRODUCE, Context, api
from headrace.broker.outcome import Frame, Later, NoReply, Outcome
from headrace.broker.partition import Partition, Topic
from headrace.broker.state import State
from headrace.log import StorageError
from headrace.log.batch import BatchHeader, check_produced
from headrace.log.errors import (
    BatchLargerThanSegment,
    BatchRefused,
    BatchTooLarge,
    CorruptBatch,
    IncompleteBatch,
    InvalidBatch,
    InvalidTimestamp,
    KeyMissing,
    OutOfOrderSequence,
    ProducerFenced,
    UnsupportedCompression,
)
from headrace.log.records import CorruptRecords, read_batch
from headrace.wire.errors import ErrorCode
from headrace.wire.produce import ProduceData, ProduceTopic, parse_produce
from headrace.wire.produced import ProducedPartition, ProducedTopic, encode_produced

_ZSTD: Final = 4
_ZSTD_FROM_VERSION: Final = 7

ERRORS: Final[dict[type[BatchRefused], ErrorCode]] = {
    CorruptBatch: ErrorCode.CORRUPT_MESSAGE,
    InvalidBatch: ErrorCode.INVALID_RECORD,
    IncompleteBatch: ErrorCode.INVALID_RECORD,
    KeyMissing: ErrorCode.INVALID_RECORD,
    BatchTooLarge: ErrorCode.MESSAGE_TOO_LARGE,
    BatchLargerThanSegment: ErrorCode.RECORD_LIST_TOO_LARGE,
    UnsupportedCompression: ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
    InvalidTimestamp: ErrorCode.INVALID_TIMESTAMP,
    OutOfOrderSequence: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    ProducerFenced: ErrorCode.INVALID_PRODUCER_EPOCH,
}


@api(PRODUCE, versions=(3, 13), reported_low=0, decode=parse_produce)
def handle(request: ProduceData, context: Context, state: State) -> Outcome:
    if request.acks not in (-1, 0, 1):
        return _answer(request, context, _for_all(request, ErrorCode.INVALID_REQUIRED_ACKS))
    flushes: list[Callable[[], None]] = []
    results = [_topic(topic, context, state, flushes) for topic in request.topics]
    if request.acks == 0:
        return _unanswered(results)
    answer = _answer(request, context, results)
    if not flushes:
        return answer
    failed = _answer(request, context, _for_all(request, ErrorCode.KAFKA_STORAGE_ERROR))
    return _flushed(flushes, answer, failed, state)


def _unanswered(results: list[list[ProducedPartition]]) -> Outcome:
    if any(result.error_code for results_of_topic in results for result in results_of_topic):
        return NoReply(closes=True)
    return NoReply()


def _topic(
    asked: ProduceTopic, context: Context, state: State, flushes: list[Callable[[], None]]
) -> list[ProducedPartition]:
    if asked.topic_id is not None:
        topic, unknown = state.topics_by_id.get(asked.topic_id), ErrorCode.UNKNOWN_TOPIC_ID
    else:
        topic, unknown = state.topics.get(asked.name or ""), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    results = []
    for index, records in asked.partitions:
        if topic is None:
            results.append(ProducedPartition(index, unknown))
        elif not 0 <= index < len(topic.partitions):
            results.append(ProducedPartition(index, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION))
        else:
            part = topic.partitions[index]
            results.append(_append(topic, part, records, context))
            if part.log.unflushed_records >= part.log.settings.flush_messages:
                flushes.append(part.log.flush_job())
    return results


def _append(topic: Topic, part: Partition, records: memoryview | None, context: Context) -> ProducedPartition:
    log, index = part.log, part.index
    if topic.is_internal:
        text = f"Cannot append to internal topic {topic.name}"
        return ProducedPartition(index, ErrorCode.INVALID_TOPIC_EXCEPTION, message=text)
    try:
        header = check_produced(records if records is not None else memoryview(b""), log.settings.max_message_bytes)
        if header.is_transactional:
            text = "This broker has no transactions"
            return ProducedPartition(index, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, message=text)
        assert records is not None
        _check_policy(header, records, part, context.api_version)
        appended = part.append(records, header, context.now_ms)
    except BatchRefused as error:
        return _refused(index, error, log.start_offset)
    except StorageError as error:
        return ProducedPartition(index, ErrorCode.KAFKA_STORAGE_ERROR, message=str(error))
    return ProducedPartition(index, ErrorCode.NONE, appended.base_offset, appended.append_time, log.start_offset)


def _refused(index: int, error: BatchRefused, start_offset: int) -> ProducedPartition:
    """Where records are at fault, Apache Kafka names them, and tells where the log starts."""
    code = ERRORS[type(error)]
    if isinstance(error, InvalidTimestamp):
        text = "One or more records have been rejected due to invalid timestamp"
        return ProducedPartition(index, code, -1, -1, start_offset, text, [(0, str(error))])
    if isinstance(error, KeyMissing):
        faults = [(at, str(error)) for at in error.indexes]
        return ProducedPartition(index, code, -1, -1, start_offset, _rejected(faults), faults)
    knows_start = not isinstance(error, (CorruptBatch, BatchTooLarge, IncompleteBatch, UnsupportedCompression))
    return ProducedPartition(index, code, -1, -1, start_offset if knows_start else -1, str(error))


def _rejected(faults: list[tuple[int, str]]) -> str:
    shown = ", ".join(f"RecordError(batchIndex={at}, message='{text}')" for at, text in faults[:3])
    return (
        f"One or more records have been rejected due to {len(faults)} record errors in total, and only showing the "
        f"first three errors at most: [{shown}]"
    )


def _check_policy(header: BatchHeader, records: memoryview, part: Partition, version: int) -> None:
    if header.codec == _ZSTD and version < _ZSTD_FROM_VERSION:
        raise UnsupportedCompression(
            f"Produce requests with version {version} are not allowed to use ZStandard compression"
        )
    if not part.log.settings.compacts:
        return
    try:
        missing = [at for at, record in enumerate(read_batch(records)) if record.key is None]
    except CorruptRecords as error:
        raise CorruptBatch(str(error)) from error
    if missing:
        where = f"{part.topic}-{part.index}"
        raise KeyMissing(f"Compacted topic cannot accept message without key in topic partition {where}", missing)


def _answer(request: ProduceData, context: Context, results: list[list[ProducedPartition]]) -> Frame:
    topics = [
        ProducedTopic(topic.name, topic.topic_id, of_topic)
        for topic, of_topic in zip(request.topics, results, strict=True)
    ]
    return Frame((encode_produced(topics, context.api_version, context.correlation_id),))


def _for_all(request: ProduceData, error: ErrorCode) -> list[list[ProducedPartition]]:
    return [[ProducedPartition(part.partition, error) for part in topic.partitions] for topic in request.topics]


def _flushed(flushes: list[Callable[[], None]], answer: Frame, failed: Frame, state: State) -> Later:
    """Answer once the disk has it; where the disk refuses, every partition of the request is in doubt."""
    later = Later()

    def flush() -> None:
        for job in flushes:
            job()

    state.disk.run(flush, lambda _, error: later.answer(answer if error is None else failed))
    return later
