"""The classic protocol: joining, syncing, failing, leaving. The clock is turned by hand."""

import pytest

from headrace.broker.groups.settings import GroupSettings
from headrace.wire.errors import ErrorCode
from tests.broker.groups.bench import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_member_without_an_id_is_given_one_and_must_come_back_with_it(bench: Bench) -> None:
    answer = bench.join().join
    assert (answer.error, answer.member_id) == (ErrorCode.MEMBER_ID_REQUIRED, "app-1")
    assert bench.join("app-1").join.error is ErrorCode.NONE


def test_an_old_client_joins_at_once_without_an_id(bench: Bench) -> None:
    answer = bench.join(requires_known_member_id=False).join
    assert (answer.error, answer.generation, answer.member_id) == (ErrorCode.NONE, 1, "app-1")


def test_the_first_member_leads_and_is_told_of_all(bench: Bench) -> None:
    first, second = bench.stable(2)
    joins = [bench.join(first), bench.join(second)]
    assert [member.member_id for member in joins[0].join.members] == [first, second]
    assert joins[1].join.members == ()
    assert {answer.join.leader for answer in joins} == {first}


def test_a_new_member_waits_until_the_others_have_rejoined(bench: Bench) -> None:
    (first,) = bench.stable(1)
    second = bench.new_id()
    waiting = bench.join(second)
    assert bench.state == "PreparingRebalance"
    assert bench.heartbeat(first, 1) is ErrorCode.REBALANCE_IN_PROGRESS
    assert waiting.waiting
    assert bench.join(first).join.generation == 2
    assert waiting.join.generation == 2


def test_members_that_do_not_rejoin_in_the_rebalance_timeout_are_dropped(bench: Bench) -> None:
    (first,) = bench.stable(1)
    second = bench.new_id()
    waiting = bench.join(second)
    for _ in range(6):
        assert bench.heartbeat(first, 1) is ErrorCode.REBALANCE_IN_PROGRESS
        bench.pass_ms(9_990)
    assert waiting.waiting
    bench.pass_ms(60)
    assert waiting.join.leader == second
    assert bench.heartbeat(first, 2) is ErrorCode.UNKNOWN_MEMBER_ID


def test_a_member_that_is_not_heard_of_in_its_session_is_removed_and_the_rest_rebalances(bench: Bench) -> None:
    first, second = bench.stable(2)
    bench.pass_ms(9_000)
    assert bench.heartbeat(first, 2) is ErrorCode.NONE
    bench.pass_ms(1_000)
    assert bench.heartbeat(first, 2) is ErrorCode.REBALANCE_IN_PROGRESS
    assert bench.heartbeat(second, 2) is ErrorCode.UNKNOWN_MEMBER_ID
    assert bench.join(first).join.generation == 3


def test_a_member_that_was_given_an_id_and_never_came_back_is_forgotten_after_its_session(bench: Bench) -> None:
    (first,) = bench.stable(1)
    bench.new_id()
    rejoined = bench.join(first)
    assert rejoined.waiting  # the pending member holds the join phase
    bench.pass_ms(10_000)
    assert rejoined.join.generation == 2


def test_followers_wait_for_the_leaders_assignment(bench: Bench) -> None:
    first, second = bench.stable(2)
    bench.join(first), bench.join(second)
    follower = bench.sync(second, 3)
    assert follower.waiting
    assert bench.sync(first, 3, {first: b"A", second: b"B"}).sync.assignment == b"A"
    assert follower.sync.assignment == b"B"
    assert bench.sync(second, 3).sync.assignment == b"B"


def test_members_that_do_not_sync_in_time_are_removed(bench: Bench) -> None:
    first, second = bench.stable(2)
    bench.join(first), bench.join(second)
    leader = bench.sync(first, 3, {})
    for _ in range(7):
        bench.heartbeat(first, 3), bench.heartbeat(second, 3)
        bench.pass_ms(9_000)
    assert leader.sync.error is ErrorCode.NONE
    assert bench.heartbeat(second, 3) is ErrorCode.UNKNOWN_MEMBER_ID
    assert bench.heartbeat(first, 3) is ErrorCode.REBALANCE_IN_PROGRESS


def test_a_member_that_waits_for_its_answer_needs_no_heartbeat(bench: Bench) -> None:
    first, second = bench.stable(2)
    waiting = bench.join(first)
    for _ in range(5):
        bench.pass_ms(9_000)
        bench.heartbeat(second, 2)
    assert waiting.waiting
    assert bench.join(second).join.generation == 3
    assert len(waiting.join.members) == 2


def test_a_rebalance_during_the_sync_phase_sends_those_who_wait_back_to_join(bench: Bench) -> None:
    first, second = bench.stable(2)
    bench.join(first), bench.join(second)
    follower = bench.sync(second, 3)
    bench.join(bench.new_id())
    assert follower.sync.error is ErrorCode.REBALANCE_IN_PROGRESS


def test_a_leader_that_rejoins_starts_a_rebalance_and_a_follower_does_not(bench: Bench) -> None:
    first, second = bench.stable(2)
    assert bench.join(second).join.generation == 2
    assert bench.state == "Stable"
    bench.join(first)
    assert bench.state == "PreparingRebalance"


def test_a_follower_with_other_protocols_starts_a_rebalance(bench: Bench) -> None:
    _, second = bench.stable(2)
    bench.join(second, protocols=(("range", b"other"),))
    assert bench.state == "PreparingRebalance"


def test_the_protocol_that_most_prefer_is_chosen_among_those_that_all_speak(bench: Bench) -> None:
    first = bench.new_id()
    bench.join(first, protocols=(("sticky", b""), ("range", b"")))
    second, third = bench.new_id(), bench.new_id()
    joins = [
        bench.join(second, protocols=(("only-mine", b""), ("range", b"2"), ("sticky", b""))),
        bench.join(third, protocols=(("range", b"3"), ("sticky", b""))),
        bench.join(first, protocols=(("sticky", b""), ("range", b"1"))),
    ]
    assert {answer.join.protocol_name for answer in joins} == {"range"}
    assert {member.metadata for member in joins[2].join.members} == {b"1", b"2", b"3"}


def test_a_group_that_all_have_left_is_empty_and_goes_on_from_its_generation(bench: Bench) -> None:
    first, second = bench.stable(2)
    assert bench.leave(first, second, "who") == [ErrorCode.NONE, ErrorCode.NONE, ErrorCode.UNKNOWN_MEMBER_ID]
    assert bench.state == "Empty"
    assert bench.join(bench.new_id()).join.generation == 4


def test_a_leader_that_leaves_hands_the_lead_on(bench: Bench) -> None:
    first, second = bench.stable(2)
    bench.leave(first)
    assert bench.join(second).join.leader == second


def test_a_group_of_the_largest_size_takes_no_further_member() -> None:
    bench = Bench(GroupSettings(max_size=1))
    bench.stable(1)
    assert bench.join().join.error is ErrorCode.GROUP_MAX_SIZE_REACHED


def test_the_first_rebalance_waits_for_the_delay_and_longer_while_members_come() -> None:
    bench = Bench(GroupSettings(initial_rebalance_delay_ms=3_000))
    first = bench.join(bench.new_id())
    bench.pass_ms(2_000)
    second = bench.join(bench.new_id())
    bench.pass_ms(1_000)
    assert first.waiting
    bench.pass_ms(3_000)
    assert len(first.join.members) == 2
    assert second.join.generation == 1


def test_a_new_member_that_waits_too_long_is_given_up(bench: Bench) -> None:
    first = bench.new_id()
    bench.join(first, rebalance_timeout_ms=3_600_000)
    bench.sync(first, 1, {})
    waiting = bench.join(bench.new_id(), rebalance_timeout_ms=3_600_000)
    for _ in range(31):
        assert waiting.waiting
        bench.pass_ms(9_900)
        bench.heartbeat(first, 1)
    assert waiting.join.error is ErrorCode.UNKNOWN_MEMBER_ID


@pytest.mark.parametrize("what", ["generation", "member", "group"])
def test_heartbeats_name_what_is_wrong(bench: Bench, what: str) -> None:
    if what == "group":
        assert bench.heartbeat("x", 1) is ErrorCode.UNKNOWN_MEMBER_ID
        return
    (first,) = bench.stable(1)
    if what == "generation":
        assert bench.heartbeat(first, 7) is ErrorCode.ILLEGAL_GENERATION
    else:
        assert bench.heartbeat("x", 1) is ErrorCode.UNKNOWN_MEMBER_ID


def test_an_assignment_that_cannot_be_saved_sends_all_back_to_join(bench: Bench) -> None:
    first, second = bench.stable(2)
    bench.join(first), bench.join(second)
    follower = bench.sync(second, 3)
    bench.journal.failure = ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert bench.sync(first, 3, {}).sync.error is ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert follower.sync.error is ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert bench.state == "PreparingRebalance"
