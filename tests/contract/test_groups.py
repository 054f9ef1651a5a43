"""JoinGroup, SyncGroup, Heartbeat, LeaveGroup (keys 11 to 14): the classic protocol over the wire."""

import time
from collections.abc import Callable

import pytest

from headrace.wire.errors import ErrorCode
from tests.contract.group_client import GroupMember, await_coordinator, describe
from tests.contract.wire_client import WireClient

NewMember = Callable[..., GroupMember]


@pytest.fixture
def member(connect: Callable[[], WireClient], group_name: str) -> NewMember:
    """Makes members of one group, each with a connection of its own."""
    await_coordinator(connect(), group_name)

    def make(instance_id: str | None = None) -> GroupMember:
        return GroupMember(connect(), group_name, instance_id)

    return make


def _await_rebalance(member: GroupMember) -> None:
    """Heartbeat until the answer is that the others have begun to join: they do so on connections of their own."""
    deadline = time.monotonic() + 5
    while (answer := member.heartbeat()) == ErrorCode.NONE and time.monotonic() < deadline:
        time.sleep(0.01)
    assert answer == ErrorCode.REBALANCE_IN_PROGRESS


def _lead(first: GroupMember) -> GroupMember:
    """Make it the only member of a stable group."""
    if first.instance_id is None:
        first.take_id()
    assert first.join().error_code == ErrorCode.NONE
    assert first.sync({first.member_id: b"all"}).assignment == b"all"
    return first


def _follow(leader: GroupMember, second: GroupMember) -> None:
    """Let a second member into the group of a leader; both are stable after it."""
    if second.instance_id is None:
        second.take_id()
    second.post_join()
    assert leader.wire is not second.wire
    while leader.heartbeat() != ErrorCode.REBALANCE_IN_PROGRESS:
        pass
    assert leader.join().error_code == ErrorCode.NONE
    assert second.joined().error_code == ErrorCode.NONE
    assert leader.sync({leader.member_id: b"half", second.member_id: b"rest"}).assignment == b"half"
    assert second.sync().assignment == b"rest"


def test_a_first_join_without_an_id_is_given_one(member: NewMember) -> None:
    first = member()
    answer = first.join()
    assert answer.error_code == ErrorCode.MEMBER_ID_REQUIRED
    assert (answer.generation_id, answer.leader, answer.protocol_name, answer.members) == (-1, "", None, [])
    assert answer.member_id.startswith("contract-")


@pytest.mark.parametrize("version", range(10))
def test_every_version_of_join_makes_a_leader(member: NewMember, version: int) -> None:
    first = member()
    answer = first.join(version)
    if version >= 4:
        assert answer.error_code == ErrorCode.MEMBER_ID_REQUIRED
        answer = first.join(version)
    assert (answer.error_code, answer.generation_id, answer.protocol_name) == (ErrorCode.NONE, 1, "range")
    assert answer.leader == answer.member_id == first.member_id
    assert [(one.member_id, one.metadata) for one in answer.members] == [(first.member_id, b"meta")]
    if version >= 7:
        assert answer.protocol_type == "consumer"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"session_timeout_ms": 5_999}, ErrorCode.INVALID_SESSION_TIMEOUT),
        ({"session_timeout_ms": 1_800_001}, ErrorCode.INVALID_SESSION_TIMEOUT),
        ({"group_id": ""}, ErrorCode.INVALID_GROUP_ID),
        ({"protocols": ()}, ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
        ({"protocol_type": ""}, ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
        ({"member_id": "nobody"}, ErrorCode.UNKNOWN_MEMBER_ID),
    ],
    ids=["short session", "long session", "no group", "no protocols", "no type", "unknown member"],
)
@pytest.mark.parametrize("version", [6, 9])
def test_a_join_that_cannot_be_says_why(member: NewMember, version: int, changes: dict, error: ErrorCode) -> None:
    answer = member().join(version, **changes)
    assert answer.error_code == error
    assert answer.member_id == changes.get("member_id", "")
    assert (answer.protocol_name or "", answer.leader, answer.members) == ("", "", [])


def test_an_unknown_member_of_a_known_group_is_told_so(member: NewMember) -> None:
    _lead(member())
    assert member().join(member_id="nobody").error_code == ErrorCode.UNKNOWN_MEMBER_ID


@pytest.mark.parametrize("changes", [{"protocols": (("other", b""),)}, {"protocol_type": "connect"}])
def test_a_member_that_shares_no_protocol_is_refused(member: NewMember, changes: dict) -> None:
    _lead(member())
    assert member().join(**changes).error_code == ErrorCode.INCONSISTENT_GROUP_PROTOCOL


def test_a_group_of_connect_workers_is_a_group_as_any_other(member: NewMember) -> None:
    first = member()
    workers = {"protocol_type": "connect", "protocols": (("sessioned", b"\x00\x02"), ("compatible", b"\x00\x01"))}
    first.join(**workers)
    answer = first.join(**workers)
    assert (answer.protocol_type, answer.protocol_name) == ("connect", "sessioned")
    synced = first.sync({first.member_id: b"tasks"}, protocol_type="connect", protocol_name="sessioned")
    assert (synced.error_code, synced.assignment) == (ErrorCode.NONE, b"tasks")
    described = describe(first.wire, first.group)
    assert (described.group_state, described.protocol_type, described.protocol_data) == (
        "Stable",
        "connect",
        "sessioned",
    )


def test_a_second_member_waits_until_the_first_has_rejoined(member: NewMember) -> None:
    first, second = _lead(member()), member()
    second.take_id()
    second.post_join()
    assert not second.wire.is_answered(within_s=0.2)
    _await_rebalance(first)
    answer = first.join()
    assert (answer.generation_id, answer.leader, answer.skip_assignment) == (2, first.member_id, False)
    assert {one.member_id for one in answer.members} == {first.member_id, second.member_id}
    follower = second.joined()
    assert (follower.generation_id, follower.leader, follower.members) == (2, first.member_id, [])


def test_a_follower_is_synced_when_the_leader_has_assigned(member: NewMember) -> None:
    first, second = _lead(member()), member()
    second.take_id()
    second.post_join()
    _await_rebalance(first)
    first.join(), second.joined()
    second.post_sync()
    assert not second.wire.is_answered(within_s=0.2)
    assert first.sync({first.member_id: b"half", second.member_id: b"rest"}).assignment == b"half"
    synced = second.wire.receive()
    assert (synced.error_code, synced.assignment) == (ErrorCode.NONE, b"rest")
    assert (synced.protocol_type, synced.protocol_name) == ("consumer", "range")


def test_a_follower_that_joins_again_unchanged_is_told_of_the_generation_there_is(member: NewMember) -> None:
    first, second = _lead(member()), member()
    _follow(first, second)
    answer = second.join()
    assert (answer.error_code, answer.generation_id, answer.members) == (ErrorCode.NONE, 2, [])
    assert first.heartbeat() == ErrorCode.NONE


def test_a_leader_that_joins_again_makes_all_rejoin(member: NewMember) -> None:
    first, second = _lead(member()), member()
    _follow(first, second)
    first.post_join()
    assert not first.wire.is_answered(within_s=0.2)
    _await_rebalance(second)
    assert second.sync().error_code == ErrorCode.REBALANCE_IN_PROGRESS
    assert second.join().generation_id == 3
    assert first.joined().generation_id == 3


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"protocol_type": "connect"}, ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
        ({"protocol_name": "other"}, ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
        ({"generation_id": 7}, ErrorCode.ILLEGAL_GENERATION),
        ({"member_id": "nobody"}, ErrorCode.UNKNOWN_MEMBER_ID),
        ({"group_instance_id": "nobody"}, ErrorCode.UNKNOWN_MEMBER_ID),
        ({"group_id": "no-such-group"}, ErrorCode.UNKNOWN_MEMBER_ID),
        ({"group_id": ""}, ErrorCode.INVALID_GROUP_ID),
    ],
    ids=["type", "name", "generation", "member", "instance", "group", "no group"],
)
def test_a_sync_that_cannot_be_says_why(member: NewMember, changes: dict, error: ErrorCode) -> None:
    first = member()
    first.take_id()
    first.join()
    answer = first.sync({}, **changes)
    assert (answer.error_code, answer.assignment, answer.protocol_name) == (error, b"", None)


@pytest.mark.parametrize("version", range(6))
def test_every_version_of_sync_gives_the_assignment(member: NewMember, version: int) -> None:
    first = member()
    first.take_id()
    first.join()
    assert first.sync({first.member_id: b"mine"}, version).assignment == b"mine"
    assert first.sync({}, version).assignment == b"mine"


@pytest.mark.parametrize("version", range(5))
def test_every_version_of_heartbeat_knows_members_and_generations(member: NewMember, version: int) -> None:
    first = member()
    first.take_id()
    assert first.heartbeat(version, generation_id=1) == ErrorCode.UNKNOWN_MEMBER_ID
    first.join()
    assert first.heartbeat(version) == ErrorCode.NONE
    assert first.heartbeat(version, generation_id=2) == ErrorCode.ILLEGAL_GENERATION
    assert first.heartbeat(version, member_id="nobody") == ErrorCode.UNKNOWN_MEMBER_ID
    assert first.heartbeat(version, group_id="no-such-group") == ErrorCode.UNKNOWN_MEMBER_ID
    assert first.heartbeat(version, group_id="") == ErrorCode.INVALID_GROUP_ID


@pytest.mark.parametrize("version", range(6))
def test_every_version_of_leave_empties_the_group(member: NewMember, version: int) -> None:
    first = _lead(member())
    answer = first.leave(version=version)
    assert answer.error_code == ErrorCode.NONE
    if version >= 3:
        assert [(one.member_id, one.error_code) for one in answer.members] == [(first.member_id, ErrorCode.NONE)]
    assert first.heartbeat() == ErrorCode.UNKNOWN_MEMBER_ID
    assert describe(first.wire, first.group).group_state == "Empty"
    again = first.leave(version=version)
    errors = [one.error_code for one in again.members] if version >= 3 else [again.error_code]
    assert errors == [ErrorCode.UNKNOWN_MEMBER_ID]


def test_several_leave_at_once_and_each_is_answered(member: NewMember) -> None:
    first, second = _lead(member()), member()
    _follow(first, second)
    pending = member()
    pending.take_id()
    answer = first.leave((second.member_id, None), ("nobody", None), ("", "no-instance"), (pending.member_id, None))
    assert answer.error_code == ErrorCode.NONE
    assert [one.error_code for one in answer.members] == [
        ErrorCode.NONE,
        ErrorCode.UNKNOWN_MEMBER_ID,
        ErrorCode.UNKNOWN_MEMBER_ID,
        ErrorCode.NONE,
    ]
    _await_rebalance(first)
    assert first.join().generation_id == 3


def test_leaving_a_group_that_is_not_there_or_has_no_name(member: NewMember) -> None:
    first = member()
    answer = first.leave(("x", None), group="no-such-group")
    assert (answer.error_code, [one.error_code for one in answer.members]) == (0, [ErrorCode.UNKNOWN_MEMBER_ID])
    first.group = ""
    assert first.leave(("x", None)).error_code == ErrorCode.INVALID_GROUP_ID


def test_a_member_that_falls_silent_is_removed_after_its_session(member: NewMember) -> None:
    first, second = _lead(member()), member()
    second.take_id()
    second.post_join(session_timeout_ms=6_000)
    while first.heartbeat() != ErrorCode.REBALANCE_IN_PROGRESS:
        pass
    first.join(), second.joined()
    first.sync({})
    second.sync()
    silent = member()  # asks for a rebalance, so that the answer comes the moment the silent one is removed
    silent.take_id()
    silent.post_join(rebalance_timeout_ms=20_000)
    first.post_join()
    answer = first.joined()
    assert {one.member_id for one in answer.members} == {first.member_id, silent.member_id}
    assert silent.joined().generation_id == 3
    assert second.heartbeat() == ErrorCode.UNKNOWN_MEMBER_ID


def test_a_static_member_comes_back_to_its_place_and_the_old_one_is_fenced(member: NewMember) -> None:
    first, old = _lead(member("one")), member("two")
    _follow(first, old)
    assert old.member_id.startswith("two-")
    new = member("two")
    answer = new.join()
    assert (answer.error_code, answer.generation_id, answer.leader) == (ErrorCode.NONE, 2, first.member_id)
    assert new.member_id != old.member_id
    assert new.sync().assignment == b"rest"
    assert old.heartbeat() == ErrorCode.FENCED_INSTANCE_ID
    assert old.sync().error_code == ErrorCode.FENCED_INSTANCE_ID
    assert old.join().error_code == ErrorCode.FENCED_INSTANCE_ID
    assert [one.error_code for one in old.leave().members] == [ErrorCode.FENCED_INSTANCE_ID]
    assert first.heartbeat() == new.heartbeat() == ErrorCode.NONE


@pytest.mark.parametrize("version", [8, 9])
def test_a_static_leader_that_comes_back_does_not_assign_again(member: NewMember, version: int) -> None:
    old = _lead(member("one"))
    answer = member("one").join(version)
    assert (answer.error_code, answer.generation_id) == (ErrorCode.NONE, 1)
    if version == 9:
        assert answer.skip_assignment and answer.leader == answer.member_id and len(answer.members) == 1
    else:
        assert answer.leader == old.member_id and answer.members == []


def test_an_administrator_removes_a_static_member_by_its_instance(member: NewMember) -> None:
    first, second = _lead(member("one")), member("two")
    _follow(first, second)
    answer = first.leave(("", "two"))
    assert [(one.member_id, one.group_instance_id, one.error_code) for one in answer.members] == [("", "two", 0)]
    assert second.heartbeat() == ErrorCode.UNKNOWN_MEMBER_ID


def test_an_id_given_to_a_dynamic_member_is_not_a_static_ones(member: NewMember) -> None:
    first = member()
    first.take_id()
    answer = first.join(group_instance_id="one")
    assert (answer.error_code, answer.member_id) == (ErrorCode.UNKNOWN_SERVER_ERROR, "")
    assert first.join().error_code == ErrorCode.NONE


def test_the_protocol_that_all_speak_is_chosen(member: NewMember) -> None:
    first, second = member(), member()
    both = (("sticky", b"1s"), ("range", b"1r"))
    first.join(protocols=both)
    assert first.join(protocols=both).protocol_name == "sticky"
    second.take_id()
    second.post_join(protocols=(("range", b"2r"),))
    while first.heartbeat() != ErrorCode.REBALANCE_IN_PROGRESS:
        pass
    answer = first.join(protocols=both)
    assert answer.protocol_name == "range"
    assert {one.metadata for one in answer.members} == {b"1r", b"2r"}
    assert second.joined().protocol_name == "range"
