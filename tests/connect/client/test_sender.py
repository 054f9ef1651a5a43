"""The producer's rules, without I/O: against a broker in memory that loses requests, answers and connections."""

import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.connect.client.accumulator import BATCH_ROWS, Failure, Run, Settings
from headrace.connect.client.link import PartitionMetadata, TopicMetadata
from headrace.connect.client.sender import (
    UNKNOWN_S,
    Answered,
    AskMetadata,
    AskProducerId,
    Produce,
    Sender,
)
from headrace.connect.records.columns import NewRecords, byte_column
from headrace.log.batch import MAX_SEQUENCE, read_header
from headrace.log.records import read_batch
from headrace.wire.errors import ErrorCode

Reports = list[Failure | None]


def records(*values: bytes) -> NewRecords:
    return NewRecords(byte_column(values), np.zeros(len(values), np.int64))


def topic(name: str = "t", leader: int = 1, error_code: int = 0, partitions: int = 1) -> TopicMetadata:
    found = {} if error_code else {n: PartitionMetadata(leader, 0, 0) for n in range(partitions)}
    return TopicMetadata(name, error_code, None, found)


class Driver:
    """A sender with a clock of its own; `sent` are the requests that nobody has answered."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.now = 1000.0
        self.sender = Sender(settings or Settings())
        self.sent: deque[Produce] = deque()
        self.asked: list[Any] = []
        self.ready = True

    def add(self, *values: bytes, partition: int = 0, abandoned: Callable[[], bool] = lambda: False) -> Reports:
        reports: Reports = []
        self.sender.add("t", partition, Run(records(*values), reports.append, abandoned, since=self.now))
        return reports

    def turn(self) -> list[Any]:
        """What is to be done now; requests are kept in `sent`."""
        actions = list(self.sender.due(self.now, lambda node: self.ready and len(self.sent) < 5))
        self.sent += [action for action in actions if isinstance(action, Produce)]
        self.asked += [action for action in actions if not isinstance(action, Produce)]
        return actions

    def connect(self, *, partitions: int = 1) -> "Driver":
        """Past metadata and producer id."""
        self.sender.want("t")
        self.turn()
        self.sender.metadata_came({"t": topic(partitions=partitions)}, ["t"], self.now)
        self.sender.producer_id_came(0, 7, 0, self.now)
        return self

    def answer(self, code: int = 0, produce: Produce | None = None, text: str = "") -> None:
        produce = produce or self.sent.popleft()
        answers = {(queue.topic, queue.partition): Answered(code, text) for queue, _ in produce.batches}
        self.sender.answered(produce, answers, self.now)

    def values(self, produce: Produce) -> list[list[bytes | None]]:
        return [[record.value for record in read_batch(sent.batch.encode(7, 0, 0))] for _, sent in produce.batches]


@pytest.fixture
def driver() -> Driver:
    return Driver().connect()


@pytest.fixture
def fast() -> Driver:
    """With five batches on their way."""
    return Driver(Settings(max_in_flight=5)).connect()


def test_metadata_comes_first_then_the_producers_id_then_records():
    driver = Driver()
    done = driver.add(b"a")
    assert driver.turn() == [AskMetadata(["t"])]
    driver.sender.metadata_came({"t": topic()}, ["t"], driver.now)
    assert driver.turn() == [AskProducerId()]
    assert driver.turn() == []
    driver.sender.producer_id_came(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, -1, -1, driver.now)
    assert driver.turn() == []
    driver.now += 1
    assert driver.turn() == [AskProducerId()]
    driver.sender.producer_id_came(0, 7, 0, driver.now)
    driver.turn()
    driver.answer()
    assert done == [None]


def test_one_batch_of_a_partition_is_on_its_way_unless_more_are_asked_for(driver: Driver):
    driver.sender.add("t", 0, Run(records(*[b"x"] * (BATCH_ROWS * 3)), lambda failure: None, since=driver.now))
    driver.turn()
    driver.turn()
    assert len(driver.sent) == 1


def test_one_run_goes_at_once_and_what_comes_meanwhile_goes_together(driver: Driver):
    done = [driver.add(b"a")]
    driver.turn()
    done += [driver.add(b"b"), driver.add(b"c", b"d")]
    driver.turn()
    assert [driver.values(sent) for sent in driver.sent] == [[[b"a"]]]
    driver.answer()
    driver.turn()
    assert [driver.values(sent) for sent in driver.sent] == [[[b"b", b"c", b"d"]]]
    assert done == [[None], [], []]
    driver.answer()
    assert done == [[None], [None], [None]]


def test_full_batches_do_not_wait_and_at_most_five_are_on_their_way(fast: Driver):
    fast.sender.add("t", 0, Run(records(*[b"x"] * (BATCH_ROWS * 7)), lambda failure: None, since=fast.now))
    fast.turn()
    fast.turn()
    assert [sent.batches[0][1].sequence for sent in fast.sent] == [n * BATCH_ROWS for n in range(5)]


def test_linger_holds_a_small_batch_for_its_time():
    driver = Driver(Settings(linger_s=0.5)).connect()
    driver.add(b"a")
    driver.turn()
    assert not driver.sent
    assert driver.sender.next_at(driver.now) == driver.now + 0.5
    driver.now += 0.5
    driver.turn()
    assert driver.sent


def test_partitions_of_one_leader_share_a_request():
    driver = Driver().connect(partitions=3)
    for partition in range(3):
        driver.add(b"%d" % partition, partition=partition)
    driver.turn()
    (request,) = driver.sent
    assert driver.values(request) == [[b"0"], [b"1"], [b"2"]]


def test_a_lost_answer_sends_the_same_bytes_again(driver: Driver):
    done = driver.add(b"a")
    driver.turn()
    first = driver.sent.popleft()
    driver.sender.lost(first, driver.now)
    driver.turn()
    assert not driver.sent and done == []
    driver.now += 1
    driver.sender.metadata_came({"t": topic()}, ["t"], driver.now)
    driver.turn()
    again = driver.sent[0]
    assert again.batches[0][1].batch is first.batches[0][1].batch
    assert again.batches[0][1].sequence == 0
    driver.answer(ErrorCode.DUPLICATE_SEQUENCE_NUMBER)
    assert done == [None]


def test_after_a_failure_all_that_follow_are_answered_first_then_sent_again_in_order(fast: Driver):
    fast.sender.add("t", 0, Run(records(*[b"x"] * (BATCH_ROWS * 3)), lambda failure: None, since=fast.now))
    fast.turn()
    first, second, third = fast.sent
    fast.sent.clear()
    fast.answer(ErrorCode.NOT_LEADER_OR_FOLLOWER, first)
    fast.now += 10
    fast.sender.metadata_came({"t": topic()}, ["t"], fast.now)
    fast.turn()
    assert not fast.sent
    fast.answer(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, second)
    fast.turn()
    assert not fast.sent
    fast.answer(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, third)
    fast.now += 10
    fast.turn()
    assert [sent.batches[0][1].sequence for sent in fast.sent] == [0, BATCH_ROWS, 2 * BATCH_ROWS]


def test_a_new_leader_gets_nothing_while_the_old_one_owes_answers(fast: Driver):
    fast.sender.add("t", 0, Run(records(*[b"x"] * (BATCH_ROWS * 3)), lambda failure: None, since=fast.now))
    first = next(iter(fast.sender.due(fast.now, lambda node: True)))
    fast.sender.metadata_came({"t": topic(leader=2)}, ["t"], fast.now)
    assert fast.turn() == []
    fast.answer(0, first)
    fast.turn()
    assert [sent.node for sent in fast.sent] == [2, 2]


@pytest.mark.parametrize(
    "code", [ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, ErrorCode.UNKNOWN_PRODUCER_ID, ErrorCode.INVALID_PRODUCER_EPOCH]
)
def test_a_gap_ends_the_producer_and_everything_that_waits_in_it(driver: Driver, code: ErrorCode):
    done = driver.add(b"a")
    waits = driver.add(b"b", partition=5)
    driver.turn()
    driver.answer(code)
    assert done == waits == driver.add(b"late") == [Failure(code)]
    assert driver.sender.is_spoiled and driver.turn() == []


def test_a_refused_record_fails_its_partition_alone():
    driver = Driver().connect(partitions=2)
    refused, good = driver.add(b"a"), driver.add(b"b", partition=1)
    driver.turn()
    (request,) = driver.sent
    codes = {("t", 0): Answered(ErrorCode.TOPIC_AUTHORIZATION_FAILED, "no"), ("t", 1): Answered(0)}
    driver.sender.answered(request, codes, driver.now)
    assert refused == driver.add(b"c") == [Failure(ErrorCode.TOPIC_AUTHORIZATION_FAILED, "no")]
    assert good == [None]
    assert driver.sender.is_spoiled and driver.sender.fatal is None


def test_a_batch_too_large_goes_in_smaller_ones_and_a_record_too_large_fails(fast: Driver):
    done = fast.add(b"a", b"b", b"c")
    fast.turn()
    fast.answer(ErrorCode.MESSAGE_TOO_LARGE)
    fast.turn()
    assert [fast.values(sent)[0] for sent in fast.sent] == [[b"a"], [b"b"], [b"c"]]
    assert [sent.batches[0][1].sequence for sent in fast.sent] == [0, 1, 2]
    fast.answer()
    fast.answer()
    assert done == []
    fast.answer(ErrorCode.MESSAGE_TOO_LARGE)
    assert done == [Failure(ErrorCode.MESSAGE_TOO_LARGE)]


class Tolerant:
    """A run whose task goes on without the records that are refused."""

    def __init__(self, driver: Driver, *values: bytes) -> None:
        self.reports: Reports = []
        self.refused: list[tuple[int, int]] = []
        run = Run(records(*values), self.reports.append, since=driver.now, refused=self._refuse)
        driver.sender.add("t", 0, run)

    def _refuse(self, row: int, failure: Failure) -> None:
        self.refused.append((row, failure.code))


def _answer_until_done(driver: Driver, code: int, bad: bytes) -> list[tuple[int, list[bytes | None]]]:
    """A broker that refuses each batch with a value that begins with `bad`; gives what it takes, by sequence."""
    taken = []
    while True:
        driver.turn()
        if not driver.sent:
            return taken
        ((_, sent),) = driver.sent[0].batches
        values = driver.values(driver.sent[0])[0]
        refused = any(value is not None and value.startswith(bad) for value in values)
        if not refused:
            taken.append((sent.sequence, values))
        driver.answer(code if refused else 0)


@pytest.mark.parametrize("code", [ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.INVALID_RECORD, ErrorCode.INVALID_TIMESTAMP])
def test_a_task_that_tolerates_it_goes_on_without_the_refused_records_and_no_number_is_left_out(
    driver: Driver, code: int
):
    """Fails where the records after a refused one keep their numbers: a broker would take them for a gap."""
    first = Tolerant(driver, b"bad 0", b"a", b"bad 1", b"b")
    second = Tolerant(driver, b"c", b"bad 2")
    taken = _answer_until_done(driver, code, b"bad")
    assert [value for _, values in taken for value in values] == [b"a", b"b", b"c"]
    at = 0
    for sequence, values in taken:
        assert sequence == at
        at += len(values)
    assert first.refused == [(0, code), (2, code)] and second.refused == [(1, code)]
    assert first.reports == second.reports == [None] and not driver.sender.is_spoiled


def test_a_refused_record_is_not_left_out_while_later_ones_are_on_their_way(fast: Driver):
    """A broker that knows nothing of us yet would take the later ones, and ours after them for repeated ones."""
    run = Tolerant(fast, b"bad", b"a")
    fast.turn()
    fast.answer(ErrorCode.MESSAGE_TOO_LARGE)
    fast.turn()
    assert len(fast.sent) == 2
    fast.answer(ErrorCode.MESSAGE_TOO_LARGE)
    assert run.reports == [Failure(ErrorCode.MESSAGE_TOO_LARGE)] and not run.refused


def test_a_record_that_no_request_can_hold_is_left_out_by_a_task_that_tolerates_it():
    driver = Driver(Settings(request_bytes=1000, largest_bytes=1000)).connect()
    large = random.Random(1).randbytes(2000)
    run = Tolerant(driver, b"a", large, b"b", large)
    taken = _answer_until_done(driver, ErrorCode.MESSAGE_TOO_LARGE, b"never")
    assert [value for _, values in taken for value in values] == [b"a", b"b"]
    assert [row for row, _ in run.refused] == [1, 3] and run.reports == [None]


def test_what_no_request_can_hold_is_not_sent():
    driver = Driver(Settings(largest_bytes=1000)).connect()
    done = driver.add(random.Random(1).randbytes(2000))
    driver.turn()
    assert done == [Failure(ErrorCode.MESSAGE_TOO_LARGE)] and not driver.sent


def test_a_topic_that_stays_unknown_fails_after_its_time(driver: Driver):
    done = driver.add(b"a")
    driver.turn()
    driver.answer(ErrorCode.UNKNOWN_TOPIC_ID)
    gone = topic(error_code=ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    driver.sender.metadata_came({"t": gone}, ["t"], driver.now)
    driver.now += UNKNOWN_S - 1
    driver.sender.metadata_came({"t": gone}, ["t"], driver.now)
    assert done == []
    driver.now += 1
    driver.sender.metadata_came({"t": gone}, ["t"], driver.now)
    assert done == [Failure(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)]


def test_a_topic_that_may_not_be_seen_fails_at_once(driver: Driver):
    done = driver.add(b"a")
    refused = topic(error_code=ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    driver.sender.metadata_came({"t": refused}, ["t"], driver.now)
    assert done == [Failure(ErrorCode.TOPIC_AUTHORIZATION_FAILED)]


def test_what_an_abandoned_task_left_is_not_sent(driver: Driver):
    gone = driver.add(b"a", abandoned=lambda: True)
    stays = driver.add(b"b")
    driver.turn()
    assert driver.values(driver.sent[0]) == [[b"b"]]
    driver.answer()
    assert gone == stays == [None]


def test_a_leader_out_of_reach_is_looked_up_again(driver: Driver):
    driver.add(b"a")
    driver.ready = False
    driver.turn()
    driver.now += 2
    driver.turn()
    assert AskMetadata(["t"]) in driver.turn()


def test_a_topic_that_nothing_is_written_to_is_not_asked_for_any_more(driver: Driver):
    driver.now += 1000
    driver.asked.clear()
    driver.turn()
    assert driver.asked == [] and driver.turn() == []


def test_sequence_numbers_go_on_at_zero_after_the_largest(driver: Driver):
    driver.add(b"a")
    driver.turn()
    queue = driver.sent[0].batches[0][0]
    driver.answer()
    queue._sequence = MAX_SEQUENCE
    driver.add(b"b", b"c")
    driver.turn()
    driver.answer()
    driver.add(b"d")
    driver.turn()
    assert driver.sent[0].batches[0][1].sequence == 1


class Broker:
    """A partition's log that checks sequence numbers as Apache Kafka does, and remembers five batches."""

    def __init__(self) -> None:
        self.log: list[bytes | None] = []
        self._last = -1
        self._remembered: deque[tuple[int, int]] = deque(maxlen=5)

    def produce(self, encoded: bytes) -> int:
        header = read_header(encoded)
        if (header.base_sequence, header.records) in self._remembered:
            return ErrorCode.NONE
        if header.base_sequence != (self._last + 1) & MAX_SEQUENCE:
            return ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
        self._last = header.last_sequence
        self._remembered.append((header.base_sequence, header.records))
        self.log += [record.value for record in read_batch(encoded)]
        return ErrorCode.NONE


@given(
    st.lists(st.sampled_from("aaaarrtlbs"), max_size=60), st.sampled_from([1, 2, 5]), st.randoms(use_true_random=False)
)
def test_nothing_is_lost_doubled_or_reordered_whatever_fails(
    script: Sequence[str], in_flight: int, chance: random.Random
):
    driver = Driver(Settings(batch_bytes=40, max_in_flight=in_flight)).connect()
    broker, given_values, reports = Broker(), [], []
    for step in [*script, *"a" * 3]:
        if step == "a":
            values = [b"%06d" % (len(given_values) + n) for n in range(chance.randrange(1, 30))]
            given_values += values
            reports.append(driver.add(*values))
        driver.turn()
        if driver.sent:
            _step(driver, broker, step)
        driver.now += chance.choice([0.0, 0.05, 2.0])
        driver.sender.metadata_came({"t": topic()}, ["t"], driver.now)
    for _ in range(500):
        driver.now += 2
        driver.turn()
        while driver.sent:
            _step(driver, broker, "s")
    assert driver.sender.fatal is None
    assert broker.log == given_values
    assert reports == [[None]] * len(reports)


def _step(driver: Driver, broker: Broker, step: str) -> None:
    """One request's fate: served; retriable error without and with the append; connection lost before and after it."""

    def append(produce: Produce) -> int:
        ((_, sent),) = produce.batches
        return broker.produce(sent.batch.encode(7, 0, sent.sequence))

    match step:
        case "r":
            driver.answer(ErrorCode.NOT_LEADER_OR_FOLLOWER)
        case "t":
            code = append(driver.sent[0])
            driver.answer(code or ErrorCode.REQUEST_TIMED_OUT)
        case "l" | "b":
            if step == "l":
                append(driver.sent[0])
            for produce in driver.sent:
                driver.sender.lost(produce, driver.now)
            driver.sent.clear()
        case _:
            driver.answer(append(driver.sent[0]))
