"""Which source offsets may be committed, held against a model by Hypothesis."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headrace.connect.runtime.host.offset_tracker import OffsetTracker, Submission

A, B = {"table": "a"}, {"table": "b"}


def _sent(tracker: OffsetTracker, partition: dict[str, str], at: int, acknowledgements: int) -> Submission:
    submission = tracker.submit(partition, {"at": at})
    tracker.expect(submission, acknowledgements)
    tracker.sent(submission)
    return submission


def test_commit_waits_for_the_oldest_unacknowledged_record() -> None:
    tracker = OffsetTracker()
    first, second = _sent(tracker, A, 1, 1), _sent(tracker, A, 2, 1)
    tracker.acknowledge(second)
    assert tracker.committable() == []
    tracker.acknowledge(first)
    assert tracker.committable() == [(A, {"at": 2})]


def test_a_submission_still_being_sent_is_not_committable() -> None:
    tracker = OffsetTracker()
    submission = tracker.submit(A, {"at": 1})
    tracker.expect(submission)
    tracker.acknowledge(submission)
    assert tracker.committable() == []
    tracker.sent(submission)
    assert tracker.committable() == [(A, {"at": 1})]


def test_dropped_records_advance_the_offset_in_their_turn() -> None:
    tracker = OffsetTracker()
    first = _sent(tracker, A, 1, 1)
    _sent(tracker, A, 2, 0)
    assert tracker.committable() == []
    tracker.acknowledge(first)
    assert tracker.committable() == [(A, {"at": 2})]


def test_source_partitions_do_not_wait_for_each_other() -> None:
    tracker = OffsetTracker()
    _sent(tracker, A, 1, 1)
    tracker.acknowledge(_sent(tracker, B, 7, 1))
    assert tracker.committable() == [(B, {"at": 7})]


def test_an_offset_is_given_once() -> None:
    tracker = OffsetTracker()
    tracker.acknowledge(_sent(tracker, A, 1, 1))
    assert tracker.committable() == [(A, {"at": 1})]
    assert tracker.committable() == []


@given(st.lists(st.tuples(st.sampled_from([0, 1]), st.integers(0, 3)), max_size=30), st.randoms())
def test_a_committable_offset_has_nothing_unacknowledged_before_it(plan: list[tuple[int, int]], random: Any) -> None:
    tracker, partitions = OffsetTracker(), (A, B)
    submissions = [_sent(tracker, partitions[which], at, count) for at, (which, count) in enumerate(plan)]
    awaited = [submission for submission, (_, count) in zip(submissions, plan, strict=True) for _ in range(count)]
    random.shuffle(awaited)
    committed: dict[str, int] = {}
    while True:
        for partition, offset in tracker.committable():
            at, table = offset["at"], partition["table"]
            assert at > committed.get(table, -1)
            assert all(
                submission.done for submission in submissions[: at + 1] if submission.partition["table"] == table
            )
            committed[table] = at
        if not awaited:
            break
        tracker.acknowledge(awaited.pop())
    last = {submission.partition["table"]: at for at, submission in enumerate(submissions)}
    assert committed == last and tracker.unacknowledged == 0
