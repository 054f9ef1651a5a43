import threading

import pytest

from headrace.connect.runtime.host.room import Room


class Cancelled(Exception):
    pass


def test_a_run_waits_until_others_have_given_room_back() -> None:
    room = Room(max_bytes=100, max_messages=10)
    room.take(60, 5, lambda: None)
    taken = threading.Event()

    def take() -> None:
        room.take(60, 5, lambda: None)
        taken.set()

    waiter = threading.Thread(target=take)
    waiter.start()
    assert not taken.wait(0.1)
    room.give(60, 5)
    assert taken.wait(5)
    waiter.join(5)


def test_a_run_larger_than_all_room_goes_alone() -> None:
    room = Room(max_bytes=100, max_messages=10)
    room.take(1000, 50, lambda: None)
    with pytest.raises(Cancelled):
        room.take(1, 1, _cancel)
    room.give(1000, 50)
    room.take(1, 1, _cancel)


def test_room_given_back_one_by_one_adds_up() -> None:
    room = Room(max_bytes=10, max_messages=3)
    room.take(10, 3, _cancel)
    for _ in range(3):
        room.give(3, 1)
    room.give(1, 0)
    room.take(10, 3, _cancel)


def _cancel() -> None:
    raise Cancelled
