"""What the cluster knows of groups and their offsets, asked by the tools that describe and reset them."""

from collections.abc import Collection, Iterable
from typing import Any

from headrace.tools.admin import UNKNOWN_PARTITION, Admin, ServerError
from headrace.tools.group_tables import STATES, Group, Member, Offset, Partition
from headrace.tools.java_errors import GROUP_ID_NOT_FOUND, UNKNOWN_TOPIC_OR_PARTITION, sentence

_NO_OFFSET = -1


class GroupOffsets:
    """Questions about groups and logs; each ends by the admin client's deadline or raises ServerError."""

    def __init__(self, admin: Admin) -> None:
        self.admin = admin

    def names(self) -> list[tuple[str, str, str]]:
        """Name, type and state of each consumer group, sorted."""
        listed = self.admin.wait("listGroups", self.admin.client.list_consumer_groups()).valid
        return sorted((one.group_id, one.type.name.capitalize(), STATES[one.state.name]) for one in listed)

    def describe(self, names: Collection[str]) -> list[Group]:
        """The groups called `names`, sorted; one that does not exist is in the state Dead."""
        if not names:
            return []
        futures = self.admin.client.describe_consumer_groups(list(dict.fromkeys(names)))
        return sorted(
            (_group(self.admin.wait("describeGroups", future)) for future in futures.values()), key=lambda one: one.name
        )

    def committed(self, group: str) -> dict[Partition, Offset]:
        """What `group` has committed, without the ends of the logs."""
        from confluent_kafka import ConsumerGroupTopicPartitions

        wanted = [ConsumerGroupTopicPartitions(group)]
        futures = self.admin.client.list_consumer_group_offsets(wanted)
        found = self.admin.wait("listConsumerGroupOffsets", futures[group]).topic_partitions
        return {(one.topic, one.partition): Offset(one.offset, one.leader_epoch) for one in found if one.offset >= 0}

    def commit(self, group: str, offsets: dict[Partition, int]) -> None:
        """Set the offsets of `group`, which has no members."""
        from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

        wanted = [TopicPartition(topic, number, offset) for (topic, number), offset in offsets.items()]
        if not wanted:
            return
        futures = self.admin.client.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, wanted)])
        for one in self.admin.wait("alterConsumerGroupOffsets", futures[group]).topic_partitions:
            if one.error is not None:
                raise ServerError(sentence(one.error.code(), one.error.str()), one.error.code())

    def starts(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        from confluent_kafka.admin import OffsetSpec

        return self._log_offsets(partitions, OffsetSpec.earliest())

    def ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        from confluent_kafka.admin import OffsetSpec

        return self._log_offsets(partitions, OffsetSpec.latest())

    def at_time(self, partitions: Iterable[Partition], timestamp_ms: int) -> dict[Partition, int | None]:
        """The first offset of that time or later; None where there is none."""
        from confluent_kafka.admin import OffsetSpec

        found = self._log_offsets(partitions, OffsetSpec.for_timestamp(timestamp_ms))
        return {partition: None if offset == _NO_OFFSET else offset for partition, offset in found.items()}

    def partitions(self, topic: str) -> list[Partition]:
        """The partitions of `topic`. Raises ServerError where there is no such topic."""
        from confluent_kafka import TopicCollection

        try:
            futures = self.admin.client.describe_topics(TopicCollection([topic]))
            described = self.admin.wait("describeTopics", futures[topic])
        except ServerError as error:
            raise ServerError(sentence(error.code, str(error)), error.code) from None
        return [(topic, partition.id) for partition in described.partitions]

    def _log_offsets(self, partitions: Iterable[Partition], spec: Any) -> dict[Partition, int]:
        from confluent_kafka import TopicPartition

        wanted = {TopicPartition(topic, number): spec for topic, number in partitions}
        if not wanted:
            return {}
        futures = self.admin.client.list_offsets(wanted)
        return {(at.topic, at.partition): self._log_offset(at, future) for at, future in futures.items()}

    def _log_offset(self, at: Any, future: Any) -> int:
        try:
            return int(self.admin.wait("listOffsets", future).offset)
        except ServerError as error:
            if error.code in UNKNOWN_PARTITION:
                told = f'The partitions "{at.topic}-{at.partition}" do not exist'
                raise ServerError(told, UNKNOWN_TOPIC_OR_PARTITION) from None
            raise


def raise_if_dead(group: Group) -> None:
    """A group that was never there is described as Dead, without members."""
    if group.state == STATES["DEAD"]:
        raise ServerError(f"Group {group.name} not found.", GROUP_ID_NOT_FOUND)


def _group(described: Any) -> Group:
    node = described.coordinator
    return Group(
        described.group_id,
        STATES[described.state.name],
        described.partition_assignor,
        f"{node.host}:{node.port}  ({node.id})",
        tuple(_member(member) for member in described.members),
    )


def _member(member: Any) -> Member:
    target = member.target_assignment
    return Member(
        member.member_id,
        member.group_instance_id or "",
        member.host,
        member.client_id,
        _partitions(member.assignment),
        None if target is None else _partitions(target),
    )


def _partitions(assignment: Any) -> tuple[Partition, ...]:
    return tuple((one.topic, one.partition) for one in assignment.topic_partitions)
