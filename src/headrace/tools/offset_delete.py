"""OffsetDelete (API key 47), which confluent-kafka does not have."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from headrace.tools.group_tables import Partition
from headrace.tools.protocol import Requests


@dataclass(frozen=True, slots=True)
class Codes:
    """Kafka's error codes: of the group, and of each partition; 0 is none."""

    group: int
    parts: dict[Partition, int]


def delete_offsets(properties: Mapping[str, str], group: str, partitions: Iterable[Partition]) -> Codes:
    """Delete what `group` has committed for `partitions`."""
    from kafka.protocol.consumer import OffsetDeleteRequest

    topics: dict[str, list[int]] = {}
    for topic, number in partitions:
        topics.setdefault(topic, []).append(number)
    if not topics:
        return Codes(0, {})
    entry = OffsetDeleteRequest.OffsetDeleteRequestTopic
    part = entry.OffsetDeleteRequestPartition
    wanted = [entry(name=name, partitions=[part(partition_index=at) for at in ats]) for name, ats in topics.items()]
    requests = Requests(properties)
    try:
        answer = requests.send(OffsetDeleteRequest(group_id=group, topics=wanted), requests.coordinator(group))
    finally:
        requests.close()
    parts = {(topic.name, one.partition_index): one.error_code for topic in answer.topics for one in topic.partitions}
    return Codes(answer.error_code, parts)
