"""The coordinator as handlers see it: one object on the broker's loop."""

import logging
import struct
from collections.abc import Callable, Collection, Iterable

from headrace.broker.groups import records
from headrace.broker.groups.group import ClassicGroup, GroupState
from headrace.broker.groups.join import Joining, NewId
from headrace.broker.groups.membership import Membership
from headrace.broker.groups.messages import DescribedGroup, ListedGroup
from headrace.broker.groups.offsets import CommittedOffsets, OffsetCommits
from headrace.broker.groups.rebalance import Rebalancer
from headrace.broker.groups.records import CoordinatorRecord, GroupKey, OffsetKey
from headrace.broker.groups.settings import GroupSettings
from headrace.broker.groups.store import GroupStore, Journal
from headrace.broker.groups.timers import KeyedTimers
from headrace.broker.timers import Timers
from headrace.wire.errors import ErrorCode

log = logging.getLogger(__name__)

_TOPIC = records.OFFSETS_TOPIC


class GroupCoordinator:
    """Groups (`join`, `sync`, `heartbeat`, `leave`), their offsets (`commit`, `committed`), and what they look like."""

    def __init__(
        self,
        settings: GroupSettings,
        journal: Journal,
        timers: Timers,
        wall_ms: Callable[[], int],
        new_id: NewId,
    ) -> None:
        self.settings = settings
        self._store = GroupStore(settings, journal, KeyedTimers(timers), wall_ms)
        self._rebalancer = Rebalancer(self._store)
        joining = Joining(self._store, self._rebalancer, new_id)
        membership = Membership(self._store, self._rebalancer)
        self._offsets = OffsetCommits(self._store, self._rebalancer, CommittedOffsets())
        self.join = joining.join
        self.sync = membership.sync
        self.heartbeat = membership.heartbeat
        self.leave = membership.leave
        self.commit = self._offsets.commit
        self.committed = self._offsets.committed.of
        self._check_retention_later()

    @property
    def is_active(self) -> bool:
        """Whether groups can be coordinated: not before somebody has asked for a coordinator."""
        return self._store.journal.is_ready

    def stop(self) -> None:
        """The broker is about to end: nothing happens here by itself any more."""
        self._store.timers.cancel_all()

    # -- What there is ------------------------------------------------------------------------------------------------

    def describe(self, group_id: str) -> DescribedGroup | None:
        group = self._store.groups.get(group_id)
        return None if group is None else group.described()

    def list_groups(self) -> list[ListedGroup]:
        return [group.listed() for group in self._store.groups.values()]

    # -- Removal ------------------------------------------------------------------------------------------------------

    def delete_group(self, group_id: str) -> ErrorCode:
        """Remove an empty group with its offsets."""
        group = self._store.groups.get(group_id)
        if group is None:
            return ErrorCode.GROUP_ID_NOT_FOUND
        if group.state is not GroupState.EMPTY:
            return ErrorCode.NON_EMPTY_GROUP
        return self._delete(group)

    def delete_offsets(self, group_id: str, keys: Collection[OffsetKey]) -> list[ErrorCode] | ErrorCode:
        """Forget offsets of topics that no member reads: one answer for all where the group cannot be, else each."""
        group = self._store.groups.get(group_id)
        if group is None:
            return ErrorCode.GROUP_ID_NOT_FOUND
        if group.state is not GroupState.EMPTY and group.protocol_type != "consumer":
            return ErrorCode.NON_EMPTY_GROUP
        known = set(self._offsets.committed.keys(group_id))
        free = [key for key in keys if key in known and not group.is_subscribed_to(key.topic)]
        error = self._offsets.remove(group_id, free)
        subscribed = ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC
        return [subscribed if group.is_subscribed_to(key.topic) else error for key in keys]

    def topics_deleted(self, names: Collection[str], now_ms: int) -> None:
        """Forget the committed offsets of these topics; without the offsets topic, forget everything."""
        if _TOPIC in names:
            self._unload()
        else:
            self._offsets.topics_deleted(names)

    def _unload(self) -> None:
        for group in list(self._store.groups.values()):
            self._rebalancer.dissolve(group)
        self._offsets.committed.clear()
        self._store.timers.cancel_all()
        self._check_retention_later()

    def _delete(self, group: ClassicGroup) -> ErrorCode:
        keys = list(self._offsets.committed.keys(group.group_id))
        error = self._offsets.remove(group.group_id, keys, also=[(records.group_key(group.group_id), None)])
        if error is ErrorCode.NONE:
            for member_id in group.pending_joins:
                self._rebalancer.cancel_heartbeat(group, member_id)
            self._store.forget(group)
        return error

    def _check_retention_later(self) -> None:
        interval_ms = self.settings.retention_check_interval_ms
        self._store.timers.schedule("retention", interval_ms, self._check_retention)

    def _check_retention(self) -> None:
        for group in list(self._store.groups.values()):
            expired = self._offsets.expired(group)
            left = sum(1 for _ in self._offsets.committed.keys(group.group_id)) - len(expired)
            if left == 0 and group.state is GroupState.EMPTY and not group.pending_joins:
                self._delete(group)
            elif expired:
                self._offsets.remove(group.group_id, expired)
        self._check_retention_later()

    # -- Loading ------------------------------------------------------------------------------------------------------

    def replay(self, entries: Iterable[CoordinatorRecord]) -> None:
        """Take over records of the topic, oldest first; `loaded` follows once all partitions are read."""
        for key, value in entries:
            try:
                self._replay(records.read_key(key), value)
            except (struct.error, ValueError) as error:
                log.error("a record of %s cannot be read and is passed over: key %r, %s", _TOPIC, key, error)

    def _replay(self, key: OffsetKey | GroupKey | None, value: bytes | None) -> None:
        match key:
            case OffsetKey() if value is None:
                self._offsets.committed.remove(key)
            case OffsetKey():
                self._store.get_or_create(key.group_id)
                self._offsets.committed.put(key, records.read_offset_value(value or b""))
            case GroupKey():
                self._store.replay(key.group_id, None if value is None else records.read_group_value(value))

    def loaded(self) -> None:
        """Members that the topic remembers must show within their session that they live."""
        for group in self._store.groups.values():
            for member in group.members.values():
                self._rebalancer.await_heartbeat(group, member)
        if self._store.groups:
            log.info("%d groups came back from %s", len(self._store.groups), _TOPIC)
