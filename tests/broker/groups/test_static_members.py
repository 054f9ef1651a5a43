"""Static members (KIP-345): an instance keeps its place over a restart, and only one may hold it."""

import pytest

from headrace.broker.groups.messages import Leaving, Member, OffsetToCommit
from headrace.wire.errors import ErrorCode
from tests.broker.groups.bench import GROUP, Bench


@pytest.fixture
def bench() -> Bench:
    """Two static members, i1 (who leads) and i2, in a stable group of generation 2."""
    bench = Bench()
    first = bench.join(instance_id="i1").join.member_id
    bench.sync(first, 1, {})
    second = bench.join(instance_id="i2")
    bench.join(first, instance_id="i1")
    bench.sync(first, 2, {first: b"A", second.join.member_id: b"B"})
    bench.sync(second.join.member_id, 2)
    assert bench.state == "Stable"
    return bench


def test_a_static_member_is_named_after_its_instance(bench: Bench) -> None:
    described = bench.coordinator.describe(GROUP)
    assert described is not None
    assert [(one.member_id, one.instance_id) for one in described.members] == [("i1-1", "i1"), ("i2-2", "i2")]


def test_one_that_comes_back_takes_its_place_without_a_rebalance(bench: Bench) -> None:
    answer = bench.join(instance_id="i2").join
    assert (answer.error, answer.member_id, answer.generation) == (ErrorCode.NONE, "i2-3", 2)
    assert bench.state == "Stable"
    assert bench.sync("i2-3", 2).sync.assignment == b"B"


def test_a_leader_that_comes_back_is_told_to_skip_the_assignment(bench: Bench) -> None:
    answer = bench.join(instance_id="i1").join
    assert (answer.leader, answer.skip_assignment, len(answer.members)) == ("i1-3", True, 2)


def test_an_old_leader_that_comes_back_is_told_of_its_old_id_so_that_it_does_not_assign(bench: Bench) -> None:
    answer = bench.join(instance_id="i1", supports_skipping_assignment=False).join
    assert (answer.leader, answer.skip_assignment, answer.members) == ("i1-1", False, ())


def test_whoever_still_uses_the_old_id_is_fenced(bench: Bench) -> None:
    bench.join(instance_id="i2")
    assert bench.heartbeat("i2-2", 2, "i2") is ErrorCode.FENCED_INSTANCE_ID
    entry = OffsetToCommit("t", None, 0, 1, -1, "")
    (error,) = bench.coordinator.commit(Member(GROUP, "i2-2", "i2", 2), [entry], True)
    assert error is ErrorCode.FENCED_INSTANCE_ID
    assert bench.join("i2-2", instance_id="i2").join.error is ErrorCode.FENCED_INSTANCE_ID


def test_a_join_that_waits_under_the_old_id_is_fenced_at_once(bench: Bench) -> None:
    waiting = bench.join("i1-1", instance_id="i1")  # the leader asks for a rebalance and waits for i2
    assert waiting.waiting
    bench.join(instance_id="i1")
    assert waiting.join.error is ErrorCode.FENCED_INSTANCE_ID


def test_changed_protocols_of_one_that_comes_back_start_a_rebalance(bench: Bench) -> None:
    changed = bench.join(instance_id="i2", protocols=(("other", b""), ("range", b"")))
    assert changed.join.error is ErrorCode.NONE  # the chosen protocol stays: no rebalance
    bench.join(instance_id="i1", protocols=(("other", b""), ("range", b"")))
    assert bench.state == "PreparingRebalance"


def test_a_static_member_that_stays_away_keeps_its_place_until_its_session_ends(bench: Bench) -> None:
    bench.pass_ms(9_000)
    bench.heartbeat("i1-1", 2, "i1")
    assert bench.state == "Stable"
    bench.pass_ms(1_000)
    assert bench.state == "PreparingRebalance"


def test_an_administrator_removes_a_member_by_its_instance(bench: Bench) -> None:
    errors = bench.coordinator.leave(GROUP, [Leaving("", "i2"), Leaving("", "i9"), Leaving("x", "i1")])
    assert errors == [ErrorCode.NONE, ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.FENCED_INSTANCE_ID]
    described = bench.coordinator.describe(GROUP)
    assert described is not None
    assert [member.instance_id for member in described.members] == ["i1"]


def test_static_members_survive_a_restart_of_the_broker(bench: Bench) -> None:
    again = bench.restarted()
    assert again.heartbeat("i1-1", 2, "i1") is ErrorCode.NONE
    assert again.join(instance_id="i2").join.error is ErrorCode.NONE
    assert again.state == "Stable"
