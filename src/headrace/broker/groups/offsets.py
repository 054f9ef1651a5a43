"""Committed offsets: who may commit, what is kept, when it expires (`OffsetMetadataManager` in Apache Kafka)."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from headrace.broker.groups import records
from headrace.broker.groups.group import CONSUMER_PROTOCOL_TYPE, ClassicGroup, GroupState
from headrace.broker.groups.membership import generation_error
from headrace.broker.groups.messages import UNKNOWN_MEMBER, Member, OffsetToCommit
from headrace.broker.groups.rebalance import Rebalancer
from headrace.broker.groups.records import CoordinatorRecord, OffsetKey, OffsetValue
from headrace.broker.groups.store import GroupStore
from headrace.wire.errors import ErrorCode

TopicOffsets = Mapping[str, Mapping[int, OffsetValue]]
"""Offsets by topic and partition."""


class CommittedOffsets:
    """The offsets of every group, by group, topic and partition."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[str, dict[int, OffsetValue]]] = {}

    def of(self, group_id: str) -> TopicOffsets:
        return self._groups.get(group_id, {})

    def keys(self, group_id: str) -> Iterator[OffsetKey]:
        for topic, partitions in self.of(group_id).items():
            for partition in partitions:
                yield OffsetKey(group_id, topic, partition)

    def clear(self) -> None:
        self._groups.clear()

    def groups(self) -> list[str]:
        return list(self._groups)

    def put(self, key: OffsetKey, value: OffsetValue) -> None:
        self._groups.setdefault(key.group_id, {}).setdefault(key.topic, {})[key.partition] = value

    def remove(self, key: OffsetKey) -> None:
        topics = self._groups.get(key.group_id, {})
        partitions = topics.get(key.topic, {})
        partitions.pop(key.partition, None)
        if not partitions:
            topics.pop(key.topic, None)
        if not topics:
            self._groups.pop(key.group_id, None)


class OffsetCommits:
    """Commits and removals: journal first, then memory."""

    def __init__(self, store: GroupStore, rebalancer: Rebalancer, committed: CommittedOffsets) -> None:
        self._store = store
        self._rebalancer = rebalancer
        self.committed = committed

    # -- Committing ---------------------------------------------------------------------------------------------------

    def commit(
        self, member: Member, offsets: Sequence[OffsetToCommit], knows_group_id_not_found: bool, retention_ms: int = -1
    ) -> list[ErrorCode]:
        """An answer for each offset. `retention_ms` is that of old clients (versions 2 to 4), else -1."""
        error = self._refusal(member, knows_group_id_not_found)
        if error is not ErrorCode.NONE:
            return [error] * len(offsets)
        self._extend_session(member)
        longest = self._store.settings.offset_metadata_max_bytes
        accepted = [offset for offset in offsets if len(offset.metadata) <= longest]
        error = self._append(member.group_id, accepted, retention_ms)
        too_large = ErrorCode.OFFSET_METADATA_TOO_LARGE
        return [too_large if len(offset.metadata) > longest else error for offset in offsets]

    def _refusal(self, member: Member, knows_group_id_not_found: bool) -> ErrorCode:
        group = self._store.groups.get(member.group_id)
        if group is None:
            if member.generation < 0:
                return ErrorCode.NONE  # a consumer without a group, or an administrator
            return ErrorCode.GROUP_ID_NOT_FOUND if knows_group_id_not_found else ErrorCode.ILLEGAL_GENERATION
        if member.generation < 0 and group.state is GroupState.EMPTY:
            return ErrorCode.NONE
        if member.generation >= 0 or member.member_id != UNKNOWN_MEMBER or member.instance_id is not None:
            error = generation_error(member, group)
        else:
            error = ErrorCode.UNKNOWN_MEMBER_ID
        if error is ErrorCode.NONE and group.state is GroupState.COMPLETING_REBALANCE:
            return ErrorCode.REBALANCE_IN_PROGRESS
        return error

    def _extend_session(self, member: Member) -> None:
        group = self._store.groups.get(member.group_id)
        if group is not None and group.state in (GroupState.STABLE, GroupState.PREPARING_REBALANCE):
            self._rebalancer.await_heartbeat(group, group.members[member.member_id])

    def _append(self, group_id: str, offsets: Sequence[OffsetToCommit], retention_ms: int) -> ErrorCode:
        if not offsets:
            return ErrorCode.NONE
        now_ms = self._store.wall_ms()
        expire_ms = -1 if retention_ms == -1 else now_ms + retention_ms
        values = {
            OffsetKey(group_id, offset.topic, offset.partition): OffsetValue(
                offset.offset, offset.leader_epoch, offset.metadata, now_ms, expire_ms, offset.topic_id
            )
            for offset in offsets
        }
        entries = [(records.offset_key(key), records.offset_value(value)) for key, value in values.items()]
        error = self._store.journal.append(group_id, entries)
        if error is ErrorCode.NONE:
            self._store.get_or_create(group_id)
            for key, value in values.items():
                self.committed.put(key, value)
        return error

    # -- Removing -----------------------------------------------------------------------------------------------------

    def remove(self, group_id: str, keys: Collection[OffsetKey], also: Sequence[CoordinatorRecord] = ()) -> ErrorCode:
        """Write tombstones for these offsets, and the records `also`, as one batch."""
        entries: list[CoordinatorRecord] = [(records.offset_key(key), None) for key in keys]
        entries += also
        error = self._store.journal.append(group_id, entries) if entries else ErrorCode.NONE
        if error is ErrorCode.NONE:
            for key in keys:
                self.committed.remove(key)
        return error

    def topics_deleted(self, names: Collection[str]) -> None:
        """Offsets of topics that are gone would mislead the readers of topics made anew under their names."""
        for group_id in self.committed.groups():
            gone = [key for key in self.committed.keys(group_id) if key.topic in names]
            if gone:
                self.remove(group_id, gone)

    def expired(self, group: ClassicGroup) -> list[OffsetKey]:
        """The offsets whose time is over (KIP-211): of groups that are empty, and of topics that nobody reads."""
        since_empty = group.protocol_type is not None and group.state is GroupState.EMPTY
        reads_on = group.protocol_type == CONSUMER_PROTOCOL_TYPE and group.state is GroupState.STABLE
        if (
            group.protocol_type is not None
            and not since_empty
            and not (reads_on and group.subscribed_topics is not None)
        ):
            return []
        return [
            OffsetKey(group.group_id, topic, partition)
            for topic, partitions in self.committed.of(group.group_id).items()
            if not group.is_subscribed_to(topic)
            for partition, value in partitions.items()
            if self._is_expired(value, group.state_timestamp_ms if since_empty else None)
        ]

    def _is_expired(self, value: OffsetValue, since_ms: int | None) -> bool:
        now_ms = self._store.wall_ms()
        if value.expire_timestamp_ms != -1:
            return now_ms >= value.expire_timestamp_ms
        base_ms = value.commit_timestamp_ms if since_ms is None else since_ms
        return now_ms - base_ms >= self._store.settings.offsets_retention_ms
