"""When an operation is tried again: errors.retry.timeout and errors.retry.delay.max.ms, with a clock of our own."""

import pytest

from headrace.connect.api import DataError, RetriableError
from headrace.connect.runtime.host.error_settings import ErrorSettings
from headrace.connect.runtime.host.errors import ErrorPolicy, Stage, StageError, at_stage
from headrace.connect.runtime.host.retries import FOR_EVER, Retries
from headrace.connect.runtime.host.stopped import Stopped


class Clock:
    """Time passes by waiting alone."""

    def __init__(self, stop_after: float = float("inf")) -> None:
        self.now = 100.0
        self.waits: list[float] = []
        self._stop_at = self.now + stop_after

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        if self.now >= self._stop_at:
            raise Stopped

    def retries(self, timeout_ms: int, max_delay_ms: int = 60_000) -> Retries:
        return Retries(timeout_ms, max_delay_ms, self.wait, self, lambda: 0.5)


class Rows:
    """Work on rows, some of which fail `times` times in passing; a row -1 is bad."""

    def __init__(self, *times: int) -> None:
        self.left = list(times)
        self.rejected: list[int] = []

    def work(self, start: int, stop: int) -> range:
        with at_stage(Stage.TRANSFORMATION, self):
            for row in range(start, stop):
                if self.left[row] < 0:
                    raise DataError("bad")
                if self.left[row]:
                    self.left[row] -= 1
                    raise RetriableError("not now")
        return range(start, stop)

    def reject(self, row: int, error: StageError) -> None:
        self.rejected.append(row)

    def run(self, retries: Retries) -> list[int]:
        policy = ErrorPolicy("k-0", ErrorSettings(tolerant=True), retries=retries)
        return [row for _, part in policy.parts(len(self.left), self.work, self.reject) for row in part]


def test_a_passing_failure_is_waited_out_with_delays_that_double_from_300_ms() -> None:
    clock, rows = Clock(), Rows(0, 4, 0)
    assert rows.run(clock.retries(FOR_EVER)) == [0, 1, 2] and not rows.rejected
    assert clock.waits == [0.3, 0.6, 1.2, 2.4]


def test_beyond_the_longest_delay_any_time_below_it_is_taken() -> None:
    clock = Clock()
    Rows(5).run(clock.retries(FOR_EVER, max_delay_ms=1000))
    assert clock.waits == [0.3, 0.6, 0.5, 0.5, 0.5]


def test_without_a_timeout_nothing_is_tried_again() -> None:
    clock, rows = Clock(), Rows(0, 1, 0, 0)
    assert rows.run(clock.retries(0)) == [0, 1, 2, 3]  # the parts of a batch are tried, once each
    assert not clock.waits
    clock, rows = Clock(), Rows(0, 9)
    assert rows.run(clock.retries(0)) == [0] and rows.rejected == [1]


def test_the_last_wait_ends_at_the_timeout_and_many_bad_records_take_no_longer_than_one() -> None:
    clock, rows = Clock(), Rows(*[99] * 8)
    assert rows.run(clock.retries(1000)) == [] and rows.rejected == list(range(8))
    assert clock.waits == pytest.approx([0.3, 0.6, 0.1])


def test_a_record_that_is_bad_is_not_tried_again() -> None:
    clock, rows = Clock(), Rows(0, -1, 0)
    assert rows.run(clock.retries(FOR_EVER)) == [0, 2] and rows.rejected == [1] and not clock.waits


def test_a_stop_ends_the_wait_and_rejects_nothing() -> None:
    clock, rows = Clock(stop_after=1), Rows(99)
    with pytest.raises(Stopped):
        rows.run(clock.retries(FOR_EVER))
    assert not rows.rejected


def test_failures_retries_and_skipped_records_are_counted() -> None:
    clock, rows = Clock(), Rows(0, 2)
    policy = ErrorPolicy("k-0", retries=clock.retries(FOR_EVER))
    policy.parts(2, rows.work, rows.reject)
    assert (policy.counts.failures, policy.counts.retries, policy.counts.skipped) == (2, 2, 0)
