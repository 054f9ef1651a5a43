"""The phases of a rebalance: members are asked to rejoin, the generation begins, the leader's assignment is awaited.

Timers by key: ("heartbeat", group, member), ("join", group), ("sync", group).
"""

import logging

from headrace.broker.groups.group import ClassicGroup, GroupState
from headrace.broker.groups.member import ClassicMember
from headrace.broker.groups.messages import JoinAnswer, SyncAnswer
from headrace.broker.groups.store import GroupStore
from headrace.wire.errors import ErrorCode

log = logging.getLogger(__name__)


class Rebalancer:
    """Moves groups from state to state; every other part of the coordinator goes through it."""

    def __init__(self, store: GroupStore) -> None:
        self._store = store
        self._timers = store.timers

    # -- Sessions -----------------------------------------------------------------------------------------------------

    def await_heartbeat(self, group: ClassicGroup, member: ClassicMember, timeout_ms: int | None = None) -> None:
        """The member has just shown that it lives: its session begins anew."""
        delay_ms = member.session_timeout_ms if timeout_ms is None else timeout_ms
        self.await_member(group, member.member_id, delay_ms)

    def await_member(self, group: ClassicGroup, member_id: str, timeout_ms: int) -> None:
        """Expire the member, or the pending one that has only been given an id, unless it is heard of by then."""
        key = ("heartbeat", group.group_id, member_id)
        self._timers.schedule(key, timeout_ms, lambda: self._expire(group, member_id))

    def cancel_heartbeat(self, group: ClassicGroup, member_id: str) -> None:
        self._timers.cancel(("heartbeat", group.group_id, member_id))

    def _expire(self, group: ClassicGroup, member_id: str) -> None:
        if group.state is GroupState.DEAD:
            return
        member = group.members.get(member_id)
        if member_id in group.pending_joins:
            self._remove_pending(group, member_id)
        elif member is not None and not member.has_satisfied_heartbeat:
            log.info("group %s: member %s was not heard of in time and is removed", group.group_id, member_id)
            self._remove_failed(group, member)

    def _remove_pending(self, group: ClassicGroup, member_id: str) -> None:
        group.remove(member_id)
        if group.state is GroupState.PREPARING_REBALANCE and group.all_members_joined:
            self.complete_join(group)

    def _remove_failed(self, group: ClassicGroup, member: ClassicMember) -> None:
        member.complete_join(JoinAnswer(ErrorCode.UNKNOWN_MEMBER_ID))
        group.remove(member.member_id)
        if group.state in (GroupState.STABLE, GroupState.COMPLETING_REBALANCE):
            self.prepare_or_complete(group, f"removing member {member.member_id} on heartbeat expiration")
        elif group.state is GroupState.PREPARING_REBALANCE and group.all_members_joined:
            self.complete_join(group)

    # -- Preparing ----------------------------------------------------------------------------------------------------

    def prepare_or_complete(self, group: ClassicGroup, reason: str) -> None:
        """Begin a rebalance; where one is under way already, complete its join phase if that can be."""
        if group.can_rebalance:
            self.prepare(group, reason)
        else:
            self.complete_if_joined(group)

    def prepare(self, group: ClassicGroup, reason: str) -> None:
        """Have every member rejoin. The first rebalance of a group waits for more members to come."""
        if group.state is GroupState.COMPLETING_REBALANCE:
            self.reset_assignments(group, ErrorCode.REBALANCE_IN_PROGRESS)
        group.pending_syncs.clear()
        self._timers.cancel(("sync", group.group_id))
        is_initial = group.state is GroupState.EMPTY
        group.transition_to(GroupState.PREPARING_REBALANCE, self._store.wall_ms())
        log.info("group %s: rebalance from generation %d (%s)", group.group_id, group.generation, reason)
        if is_initial:
            delay_ms = self._store.settings.initial_rebalance_delay_ms
            self._await_more_members(group, delay_ms, max(group.rebalance_timeout_ms - delay_ms, 0))
        elif group.all_members_joined:
            self.complete_join(group)
        else:
            self._await_joins(group)

    def complete_if_joined(self, group: ClassicGroup) -> None:
        """Complete the join phase where all have rejoined; the first rebalance ends by its delay alone."""
        is_initial = group.previous_state is GroupState.EMPTY
        if group.state is GroupState.PREPARING_REBALANCE and not is_initial and group.all_members_joined:
            self.complete_join(group)

    def _await_joins(self, group: ClassicGroup) -> None:
        key = ("join", group.group_id)
        self._timers.schedule(key, group.rebalance_timeout_ms, lambda: self.complete_join(group))

    def _await_more_members(self, group: ClassicGroup, delay_ms: int, remaining_ms: int) -> None:
        if delay_ms == 0:
            self.complete_join(group)
            return
        key = ("join", group.group_id)
        self._timers.schedule(key, delay_ms, lambda: self._extend_or_complete(group, delay_ms, remaining_ms))

    def _extend_or_complete(self, group: ClassicGroup, delay_ms: int, remaining_ms: int) -> None:
        if not group.has_new_member or remaining_ms == 0:
            self.complete_join(group)
            return
        group.has_new_member = False
        next_delay_ms = min(self._store.settings.initial_rebalance_delay_ms, remaining_ms)
        self._await_more_members(group, next_delay_ms, max(remaining_ms - delay_ms, 0))

    # -- Completing ---------------------------------------------------------------------------------------------------

    def complete_join(self, group: ClassicGroup) -> None:
        """The join phase is over: drop dynamic members that did not rejoin and begin the next generation."""
        self._timers.cancel(("join", group.group_id))
        if group.state is GroupState.DEAD:
            return
        self._remove_absent(group)
        if not group.elect_joined_leader() and group.members:
            self._await_joins(group)  # static members alone, none of which has rejoined: their sessions decide
            return
        group.begin_next_generation(self._store.wall_ms())
        if group.state is GroupState.EMPTY:
            self._store.save(group)
        else:
            self._begin_sync_phase(group)

    def _remove_absent(self, group: ClassicGroup) -> None:
        absent = [one for one in group.members.values() if not one.is_awaiting_join and not one.is_static]
        for member in absent:
            group.remove(member.member_id)
            self.cancel_heartbeat(group, member.member_id)

    def _begin_sync_phase(self, group: ClassicGroup) -> None:
        log.info("group %s: generation %d, %d members", group.group_id, group.generation, len(group.members))
        generation = group.generation
        for member in list(group.members.values()):
            group.pending_syncs.add(member.member_id)
            self.await_heartbeat(group, member)
            member.is_new = False
        key = ("sync", group.group_id)
        self._timers.schedule(key, group.rebalance_timeout_ms, lambda: self._expire_sync(group, generation))
        for member in list(group.members.values()):
            member.complete_join(group.join_answer(member.member_id))

    # -- Syncing ------------------------------------------------------------------------------------------------------

    def has_synced(self, group: ClassicGroup, member_id: str) -> None:
        group.pending_syncs.discard(member_id)
        if not group.pending_syncs:
            self._timers.cancel(("sync", group.group_id))

    def _expire_sync(self, group: ClassicGroup, generation: int) -> None:
        in_sync_phase = group.state in (GroupState.COMPLETING_REBALANCE, GroupState.STABLE)
        if generation != group.generation or not in_sync_phase or not group.pending_syncs:
            return
        late = sorted(group.pending_syncs)
        for member_id in late:
            group.remove(member_id)
            self.cancel_heartbeat(group, member_id)
        self.prepare(group, f"no SyncGroup in time from {', '.join(late)}")

    def reset_assignments(self, group: ClassicGroup, error: ErrorCode) -> None:
        """The generation comes to nothing: who waits for an assignment gets the error."""
        for member in group.members.values():
            member.assignment = b""
        self._answer_syncs(group, error)

    def assign(self, group: ClassicGroup, assignments: dict[str, bytes]) -> None:
        """The leader's assignment is saved: hand it out, the group is stable."""
        for member in group.members.values():
            member.assignment = assignments.get(member.member_id, b"")
        group.transition_to(GroupState.STABLE, self._store.wall_ms())
        self._answer_syncs(group, ErrorCode.NONE)

    def _answer_syncs(self, group: ClassicGroup, error: ErrorCode) -> None:
        for member in list(group.members.values()):
            answer = group.sync_answer(member) if error is ErrorCode.NONE else SyncAnswer(error)
            if member.complete_sync(answer):
                self.await_heartbeat(group, member)

    # -- The end ------------------------------------------------------------------------------------------------------

    def dissolve(self, group: ClassicGroup) -> None:
        """The group is not coordinated here any more: members that wait look for a coordinator and join anew."""
        for member in list(group.members.values()):
            member.complete_join(JoinAnswer(ErrorCode.NOT_COORDINATOR, member.member_id))
            member.complete_sync(SyncAnswer(ErrorCode.NOT_COORDINATOR))
        self._store.forget(group)
