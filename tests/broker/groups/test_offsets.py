"""Committed offsets: who may commit, what survives, what expires."""

import pytest

from headrace.broker.groups.messages import Member, OffsetToCommit
from headrace.broker.groups.records import OffsetKey
from headrace.broker.groups.settings import GroupSettings
from headrace.wire.errors import ErrorCode
from tests.broker.groups.bench import GROUP, Bench

WEEK_MS = 7 * 24 * 3600 * 1000
SUBSCRIBED_TO_T = (("range", b"\x00\x00\x00\x00\x00\x01\x00\x01t\xff\xff\xff\xff"),)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_consumer_without_a_group_commits_and_makes_a_simple_group(bench: Bench) -> None:
    assert bench.commit(5) is ErrorCode.NONE
    assert bench.committed() == 5
    assert [(one.protocol_type, one.state) for one in bench.coordinator.list_groups()] == [("", "Empty")]


def test_a_member_commits_in_its_generation_alone(bench: Bench) -> None:
    (member,) = bench.stable(1)
    assert bench.commit(1, member, 1) is ErrorCode.NONE
    assert bench.commit(2, member, 2) is ErrorCode.ILLEGAL_GENERATION
    assert bench.commit(2, "who", 1) is ErrorCode.UNKNOWN_MEMBER_ID
    assert bench.commit(2) is ErrorCode.UNKNOWN_MEMBER_ID
    assert bench.committed() == 1


def test_while_the_assignment_is_awaited_nobody_commits(bench: Bench) -> None:
    (member,) = bench.stable(1)
    bench.join(member)
    assert bench.commit(2, member, 2) is ErrorCode.REBALANCE_IN_PROGRESS


def test_before_it_rejoins_a_member_may_commit_what_it_has_done(bench: Bench) -> None:
    (member,) = bench.stable(1)
    bench.join(bench.new_id())
    assert bench.commit(2, member, 1) is ErrorCode.NONE


def test_a_commit_keeps_the_session_alive(bench: Bench) -> None:
    (member,) = bench.stable(1)
    for offset in range(5):
        bench.pass_ms(9_000)
        assert bench.commit(offset, member, 1) is ErrorCode.NONE


@pytest.mark.parametrize(
    ("knows", "error"), [(True, ErrorCode.GROUP_ID_NOT_FOUND), (False, ErrorCode.ILLEGAL_GENERATION)]
)
def test_a_generation_of_a_group_that_is_not_known_is_refused(bench: Bench, knows: bool, error: ErrorCode) -> None:
    entry = OffsetToCommit("t", None, 0, 1, -1, "")
    assert bench.coordinator.commit(Member("none", "m", None, 3), [entry], knows) == [error]


def test_metadata_that_is_too_long_stops_its_own_partition_alone(bench: Bench) -> None:
    entries = [OffsetToCommit("t", None, 0, 1, -1, "x" * 4097), OffsetToCommit("t", None, 1, 2, -1, "x" * 4096)]
    answers = bench.coordinator.commit(Member(GROUP, "", None, -1), entries, True)
    assert answers == [ErrorCode.OFFSET_METADATA_TOO_LARGE, ErrorCode.NONE]
    assert (bench.committed(), bench.committed(partition=1)) == (None, 2)


def test_a_commit_that_cannot_be_written_is_not_remembered(bench: Bench) -> None:
    bench.commit(1)
    bench.journal.failure = ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert bench.commit(2) is ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert bench.committed() == 1


def test_offsets_and_stable_groups_come_back_after_a_restart(bench: Bench) -> None:
    first, second = bench.stable(2)
    bench.commit(7, first, 2)
    again = bench.restarted()
    assert again.committed() == 7
    assert again.state == "Stable"
    assert again.heartbeat(first, 2) is ErrorCode.NONE
    assert again.commit(8, second, 2) is ErrorCode.NONE


def test_members_that_do_not_come_back_after_a_restart_expire(bench: Bench) -> None:
    bench.stable(2)
    again = bench.restarted()
    again.pass_ms(10_000)
    assert again.state == "Empty"


def test_offsets_of_an_empty_group_expire_by_the_time_it_became_empty(bench: Bench) -> None:
    (member,) = bench.stable(1)
    bench.commit(1, member, 1)
    for _ in range(100):
        bench.pass_ms(9_000)
        bench.heartbeat(member, 1)
    bench.leave(member)
    bench.pass_ms(WEEK_MS - 600_000)
    assert bench.committed() == 1
    bench.pass_ms(1_200_000)
    assert bench.committed() is None
    assert bench.state == "Dead"
    assert bench.restarted().state == "Dead"


def test_offsets_of_topics_that_members_read_never_expire_and_others_do() -> None:
    bench = Bench(GroupSettings(offsets_retention_ms=1_200_000))
    member = bench.new_id()
    bench.join(member, protocols=SUBSCRIBED_TO_T, session_timeout_ms=1_800_000)
    bench.sync(member, 1, {})
    bench.commit(1, member, 1, topic="t")
    bench.commit(1, member, 1, topic="u")
    for _ in range(4):
        bench.pass_ms(600_000)
        assert bench.heartbeat(member, 1) is ErrorCode.NONE
    assert (bench.committed("t"), bench.committed("u")) == (1, None)


def test_offsets_of_a_simple_group_expire_by_their_own_commit(bench: Bench) -> None:
    bench.commit(1)
    bench.pass_ms(WEEK_MS // 2)
    bench.commit(2, partition=1)
    bench.pass_ms(WEEK_MS // 2 + 600_000)
    assert (bench.committed(), bench.committed(partition=1)) == (None, 2)


def test_an_old_clients_own_retention_binds(bench: Bench) -> None:
    entry = OffsetToCommit("t", None, 0, 1, -1, "")
    bench.coordinator.commit(Member(GROUP, "", None, -1), [entry], False, retention_ms=1_000_000)
    assert bench.restarted().committed() == 1
    bench.pass_ms(1_200_000)
    assert bench.committed() is None


def test_offsets_of_a_deleted_topic_are_forgotten_for_good(bench: Bench) -> None:
    bench.commit(1, topic="gone")
    bench.commit(2, topic="kept")
    bench.coordinator.topics_deleted(["gone"], 0)
    for one in (bench, bench.restarted()):
        assert (one.committed("gone"), one.committed("kept")) == (None, 2)


def test_a_group_is_deleted_with_its_offsets_once_it_is_empty(bench: Bench) -> None:
    (member,) = bench.stable(1)
    bench.commit(1, member, 1)
    assert bench.coordinator.delete_group(GROUP) is ErrorCode.NON_EMPTY_GROUP
    bench.leave(member)
    assert bench.coordinator.delete_group(GROUP) is ErrorCode.NONE
    assert bench.coordinator.delete_group(GROUP) is ErrorCode.GROUP_ID_NOT_FOUND
    again = bench.restarted()
    assert (again.state, again.committed()) == ("Dead", None)


def test_an_offset_is_deleted_unless_a_member_reads_its_topic(bench: Bench) -> None:
    member = bench.new_id()
    bench.join(member, protocols=SUBSCRIBED_TO_T)
    bench.sync(member, 1, {})
    bench.commit(1, member, 1, topic="t")
    bench.commit(1, member, 1, topic="u")
    keys = [OffsetKey(GROUP, "t", 0), OffsetKey(GROUP, "u", 0), OffsetKey(GROUP, "u", 9)]
    answers = bench.coordinator.delete_offsets(GROUP, keys)
    assert answers == [ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC, ErrorCode.NONE, ErrorCode.NONE]
    assert (bench.committed("t"), bench.committed("u")) == (1, None)


def test_without_the_offsets_topic_nothing_is_remembered_and_nobody_waits_on(bench: Bench) -> None:
    (member,) = bench.stable(1)
    bench.commit(1, member, 1)
    waiting = bench.join(bench.new_id())
    bench.coordinator.topics_deleted(["__consumer_offsets"], 0)
    assert waiting.join.error is ErrorCode.NOT_COORDINATOR
    assert (bench.state, bench.committed()) == ("Dead", None)
    bench.pass_ms(600_000)
    assert bench.commit(2) is ErrorCode.NONE


def test_a_record_that_cannot_be_read_is_passed_over_and_said(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.commit(1)
    bench.journal.entries += [(b"\x00\x01\x00\x40x", b""), (b"", None)]
    bench.commit(2, partition=1)
    again = bench.restarted()
    assert (again.committed(), again.committed(partition=1)) == (1, 2)
    assert caplog.text.count("cannot be read and is passed over") == 2
