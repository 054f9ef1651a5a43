"""Deadlines: in their order, never early, never after they were cancelled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.broker.timers import Timers


def test_deadlines_fire_in_their_order_and_not_before() -> None:
    timers, fired = Timers(), []
    for delay in (30, 10, 20, 10):
        timers.after(delay, lambda delay=delay: fired.append((timers.now_ms, delay)))
    timers.advance(9)
    assert fired == []
    timers.advance(100)
    assert fired == [(10, 10), (10, 10), (20, 20), (30, 30)]


def test_a_cancelled_deadline_does_not_fire() -> None:
    timers, fired = Timers(), []
    timer = timers.after(10, lambda: fired.append("cancelled"))
    timers.after(10, lambda: fired.append("kept"))
    timer.cancel()
    timers.advance(10)
    timer.cancel()
    assert fired == ["kept"]


def test_the_server_hears_of_an_earlier_deadline() -> None:
    timers, heard = Timers(), []
    timers.on_earlier = heard.append
    for delay in (50, 70, 20):
        timers.after(delay, lambda: None)
    assert heard == [50, 20]
    assert timers.next_due_ms() == 20


def test_what_is_due_at_once_is_done_in_the_same_run() -> None:
    timers, fired = Timers(), []
    timers.after(5, lambda: timers.after(0, lambda: fired.append(timers.now_ms)))
    timers.run(5)
    assert fired == [5]


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=300))
def test_however_many_are_cancelled_the_others_fire(deadlines: list[tuple[int, bool]]) -> None:
    timers, fired = Timers(), []
    made = [timers.after(delay, lambda at=at: fired.append(at)) for at, (delay, _) in enumerate(deadlines)]
    for timer, (_, is_cancelled) in zip(made, deadlines, strict=True):
        if is_cancelled:
            timer.cancel()
    timers.advance(60)
    expected = sorted((delay, at) for at, (delay, is_cancelled) in enumerate(deadlines) if not is_cancelled)
    assert fired == [at for _, at in expected]
    assert timers.next_due_ms() is None


def test_a_deadline_that_fails_does_not_silence_the_others() -> None:
    timers, fired = Timers(), []

    def fail() -> None:
        raise OSError("disk")

    timers.after(5, fail)
    timers.after(5, lambda: fired.append("other"))
    with pytest.raises(OSError, match="disk"):
        timers.run(5)
    assert timers.next_due_ms() == 5
    timers.run(5)
    assert fired == ["other"]
