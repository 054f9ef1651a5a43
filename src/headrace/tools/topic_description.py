"""How `kafka-topics --describe` shows a topic: one line for it, one for each partition."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_DEFAULT_CONFIG = 5


@dataclass(frozen=True, slots=True)
class TopicView:
    """A topic as the cluster describes it, its configs by name, and the ids of the brokers that are alive."""

    topic: Any
    configs: Any
    live_brokers: set[int]

    @staticmethod
    def id_of(topic: Any) -> str:
        """The topic's id as Java writes it, in the alphabet for addresses."""
        return str(topic.topic_id).replace("+", "-").replace("/", "_")

    def overrides(self) -> list[str]:
        """The configs that are not Kafka's defaults, wherever they were set."""
        return [f"{name}={entry.value}" for name, entry in self.configs.items() if entry.source != _DEFAULT_CONFIG]

    def partitions(self) -> list[Any]:
        return sorted(self.topic.partitions, key=lambda partition: int(partition.id))

    def is_in(self, report: str, partition: Any) -> bool:
        """Whether `report`, one of the options that narrow a description, names `partition`."""
        in_sync, wanted = len(partition.isr), int(self.configs["min.insync.replicas"].value)
        match report:
            case "under-replicated-partitions":
                return in_sync < len(partition.replicas)
            case "under-min-isr-partitions":
                return not _has_leader(partition) or in_sync < wanted
            case "at-min-isr-partitions":
                return in_sync == wanted
            case _:
                return not _has_leader(partition) or partition.leader.id not in self.live_brokers


def print_topic(view: TopicView, reports: list[str], overridden_only: bool) -> None:
    """Print `view`; with `reports`, only the partitions that one of them names."""
    overrides = view.overrides()
    if not reports and (overrides or not overridden_only):
        partitions = view.partitions()
        print(
            f"Topic: {view.topic.name}\tTopicId: {view.id_of(view.topic)}\tPartitionCount: {len(partitions)}"
            f"\tReplicationFactor: {len(partitions[0].replicas)}\tConfigs: {','.join(overrides)}"
        )
    if not overridden_only:
        for partition in view.partitions():
            if not reports or any(view.is_in(report, partition) for report in reports):
                print(_partition(view.topic.name, partition))


def _partition(topic: str, partition: Any) -> str:
    leader = partition.leader.id if _has_leader(partition) else "none"
    # Eligible to lead without being in sync (KIP-966): none where all are in sync; librdkafka cannot ask otherwise.
    eligible = "" if len(partition.isr) == len(partition.replicas) else "N/A"
    return (
        f"\tTopic: {topic}\tPartition: {partition.id}\tLeader: {leader}\tReplicas: {_ids(partition.replicas)}"
        f"\tIsr: {_ids(partition.isr)}\tElr: {eligible}\tLastKnownElr: {eligible}"
    )


def _has_leader(partition: Any) -> bool:
    return partition.leader is not None and partition.leader.id >= 0


def _ids(nodes: Iterable[Any]) -> str:
    return ",".join(str(node.id) for node in nodes)
