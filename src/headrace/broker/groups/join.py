"""JoinGroup: a member comes, comes back, or takes over the place of a static member."""

from collections.abc import Callable

from headrace.broker.groups.group import ClassicGroup, GroupState
from headrace.broker.groups.member import ClassicMember
from headrace.broker.groups.messages import UNKNOWN_MEMBER, AnswerJoin, Join, JoinAnswer
from headrace.broker.groups.rebalance import Rebalancer
from headrace.broker.groups.store import GroupStore
from headrace.wire.errors import ErrorCode

NewId = Callable[[], str]
"""Gives the part of a member id that makes it unique."""


class Joining:
    """Answers JoinGroup, at once or when the join phase ends."""

    def __init__(self, store: GroupStore, rebalancer: Rebalancer, new_id: NewId) -> None:
        self._store = store
        self._rebalancer = rebalancer
        self._new_id = new_id

    def join(self, request: Join, answer: AnswerJoin) -> None:
        if (error := self._invalid(request)) is not ErrorCode.NONE:
            answer(JoinAnswer(error, request.member_id))
            return
        is_new_group = request.group_id not in self._store.groups
        if is_new_group and request.member_id != UNKNOWN_MEMBER:
            answer(JoinAnswer(ErrorCode.UNKNOWN_MEMBER_ID, request.member_id))
            return
        group = self._store.get_or_create(request.group_id)
        if is_new_group and (error := self._store.save(group)) is not ErrorCode.NONE:
            self._store.groups.pop(request.group_id)
            answer(JoinAnswer(error))
            return
        self._join(request, group, answer)

    def _invalid(self, request: Join) -> ErrorCode:
        settings = self._store.settings
        if not request.group_id:
            return ErrorCode.INVALID_GROUP_ID
        if not settings.min_session_timeout_ms <= request.session_timeout_ms <= settings.max_session_timeout_ms:
            return ErrorCode.INVALID_SESSION_TIMEOUT
        return ErrorCode.NONE

    def _join(self, request: Join, group: ClassicGroup, answer: AnswerJoin) -> None:
        if not self._accepts(group, request.member_id):
            group.remove(request.member_id)
            answer(JoinAnswer(ErrorCode.GROUP_MAX_SIZE_REACHED))
        elif not group.supports(request.protocol_type, [name for name, _ in request.protocols]):
            answer(JoinAnswer(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, request.member_id))
        elif request.member_id == UNKNOWN_MEMBER:
            self._join_new(request, group, answer)
        elif request.member_id in group.pending_joins and request.instance_id is not None:
            answer(JoinAnswer(ErrorCode.UNKNOWN_SERVER_ERROR))  # static members are never given an id to come back with
        elif request.member_id in group.pending_joins:
            self._add(request, group, request.member_id, answer)
        elif (error := group.member_error(request.member_id, request.instance_id)) is not ErrorCode.NONE:
            answer(JoinAnswer(error, request.member_id))
        else:
            self._rejoin(request, group, group.members[request.member_id], answer)

    def _accepts(self, group: ClassicGroup, member_id: str) -> bool:
        """Whether `group.max.size` leaves room; while members rejoin, those that have count."""
        size = self._store.settings.max_size
        match group.state:
            case GroupState.PREPARING_REBALANCE:
                member = group.members.get(member_id)
                return (member is not None and member.is_awaiting_join) or len(group.awaiting_join) < size
            case GroupState.COMPLETING_REBALANCE | GroupState.STABLE:
                return member_id in group.members or len(group.members) < size
        return True

    # -- New members --------------------------------------------------------------------------------------------------

    def _join_new(self, request: Join, group: ClassicGroup, answer: AnswerJoin) -> None:
        new_id = f"{request.client.id if request.instance_id is None else request.instance_id}-{self._new_id()}"
        if request.instance_id is not None and request.instance_id in group.static_members:
            self._replace_static(request, group, new_id, answer)
        elif request.instance_id is None and request.requires_known_member_id:
            group.pending_joins.add(new_id)
            self._rebalancer.await_member(group, new_id, request.session_timeout_ms)
            answer(JoinAnswer(ErrorCode.MEMBER_ID_REQUIRED, new_id))
        else:
            self._add(request, group, new_id, answer)

    def _add(self, request: Join, group: ClassicGroup, member_id: str, answer: AnswerJoin) -> None:
        member = ClassicMember(
            member_id=member_id,
            instance_id=request.instance_id,
            client=request.client,
            rebalance_timeout_ms=request.rebalance_timeout_ms,
            session_timeout_ms=request.session_timeout_ms,
            protocol_type=request.protocol_type,
            protocols=request.protocols,
            answer_join=answer,
            is_new=True,
        )
        if group.state is GroupState.PREPARING_REBALANCE and group.previous_state is GroupState.EMPTY:
            group.has_new_member = True
        group.add(member)
        self._rebalancer.await_heartbeat(group, member, self._store.settings.new_member_join_timeout_ms)
        self._rebalancer.prepare_or_complete(group, f"new member {member_id}: {request.reason}")

    # -- Members that come back ---------------------------------------------------------------------------------------

    def _rejoin(self, request: Join, group: ClassicGroup, member: ClassicMember, answer: AnswerJoin) -> None:
        unchanged = member.protocols == request.protocols
        match group.state:
            case GroupState.PREPARING_REBALANCE:
                self._update(request, group, member, answer)
            case GroupState.COMPLETING_REBALANCE if unchanged:
                answer(group.join_answer(member.member_id))  # its answer was lost on the way
            case GroupState.STABLE if unchanged and not group.is_leader(member.member_id):
                answer(group.join_answer(member.member_id))
            case GroupState.COMPLETING_REBALANCE | GroupState.STABLE:
                self._update(request, group, member, answer)  # a leader rejoins to have the work shared out anew
            case _:
                answer(JoinAnswer(ErrorCode.UNKNOWN_MEMBER_ID, member.member_id))

    def _update(self, request: Join, group: ClassicGroup, member: ClassicMember, answer: AnswerJoin) -> None:
        group.update(member, request.protocols, (request.rebalance_timeout_ms, request.session_timeout_ms))
        member.answer_join = answer
        self._rebalancer.prepare_or_complete(group, f"member {member.member_id} rejoins: {request.reason}")

    # -- Static members (KIP-345) -------------------------------------------------------------------------------------

    def _replace_static(self, request: Join, group: ClassicGroup, new_id: str, answer: AnswerJoin) -> None:
        """A static member has come back under no id: it takes its old place, mostly without a rebalance."""
        instance_id = request.instance_id or ""
        old_leader = group.leader
        member = group.replace_static(instance_id, group.static_members[instance_id], new_id)
        self._rebalancer.await_heartbeat(group, member)
        group.update(member, request.protocols, (request.rebalance_timeout_ms, request.session_timeout_ms))
        member.answer_join = answer
        if group.state is GroupState.STABLE and group.select_protocol() == group.protocol_name:
            self._keep_generation(request, group, member, old_leader)
        elif group.can_rebalance:
            self._rebalancer.prepare(group, f"static member {instance_id} is replaced: {request.reason}")
        else:
            self._rebalancer.complete_if_joined(group)

    def _keep_generation(
        self, request: Join, group: ClassicGroup, member: ClassicMember, old_leader: str | None
    ) -> None:
        error = self._store.save(group)
        if error is not ErrorCode.NONE:
            member.complete_join(JoinAnswer(error))
        elif request.supports_skipping_assignment:
            skip = group.is_leader(member.member_id)
            member.complete_join(group.join_answer(member.member_id, skip_assignment=skip))
        else:
            member.complete_join(
                JoinAnswer(
                    member_id=member.member_id,
                    generation=group.generation,
                    protocol_type=group.protocol_type,
                    protocol_name=group.protocol_name,
                    leader=old_leader or "",  # so that an old client that led does not assign again
                )
            )
