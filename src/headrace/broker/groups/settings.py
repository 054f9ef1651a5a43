"""The coordinator's configuration; each field names Apache Kafka's key."""

from dataclasses import dataclass

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class GroupSettings:
    min_session_timeout_ms: int = 6_000
    """group.min.session.timeout.ms"""
    max_session_timeout_ms: int = 1_800_000
    """group.max.session.timeout.ms"""
    max_size: int = 2**31 - 1
    """group.max.size"""
    initial_rebalance_delay_ms: int = 0
    """group.initial.rebalance.delay.ms; Apache Kafka's default is 3000 (listed deviation)"""
    new_member_join_timeout_ms: int = 5 * _MINUTE_MS
    """Not a key: how long a JoinGroup of a new member may wait, since nobody can tell whether it still lives."""
    offset_metadata_max_bytes: int = 4_096
    """offset.metadata.max.bytes"""
    offsets_retention_ms: int = 7 * 24 * 60 * _MINUTE_MS
    """offsets.retention.minutes"""
    retention_check_interval_ms: int = 10 * _MINUTE_MS
    """offsets.retention.check.interval.ms"""
    partitions: int = 50
    """offsets.topic.num.partitions"""
    segment_bytes: int = 100 * 1024 * 1024
    """offsets.topic.segment.bytes"""
