"""What a topic's configuration means for its logs: typed, with Kafka's names and defaults."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from headrace.config import ConfigDef, ConfigError, Importance, Type
from headrace.config.definition import between

MAX_LONG: Final = 2**63 - 1
MAX_INT: Final = 2**31 - 1
_PASSED_OVER: Final = "Taken and not acted on."
_REPLICA: Final = re.compile("([0-9]+:[0-9]+)?")
_CODECS: Final = ("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer")


def _policies(name: str, value: Any) -> None:
    """None at all is a policy too: what is there stays."""
    if "" in value:
        raise ConfigError(f"Configuration '{name}' values must not be empty.")
    bad = next((policy for policy in value if policy not in ("compact", "delete")), None)
    if bad is not None:
        raise ConfigError(f"Invalid value {bad} for configuration {name}: String must be one of: compact, delete")


def _replicas(name: str, value: Any) -> None:
    if "".join(value) != "*" and not all(_REPLICA.fullmatch(item) for item in value):
        raise ConfigError(
            f"Invalid value [{', '.join(value)}] for configuration {name}: {name} must be the literal '*' or a list of "
            "replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],..."
        )


def _codec(name: str, value: Any) -> None:
    if value not in _CODECS:
        raise ConfigError(
            f"Invalid value {value} for configuration {name}: String must be one of: {', '.join(_CODECS)}"
        )


def _timestamp_type(name: str, value: Any) -> None:
    if value not in ("CreateTime", "LogAppendTime"):
        raise ConfigError(
            f"Invalid value {value} for configuration {name}: String must be one of: CreateTime, LogAppendTime"
        )


def _untiered(name: str, value: Any) -> None:
    if value:
        raise ConfigError(
            "Tiered Storage functionality is disabled in the broker. "
            "Topic cannot be configured with remote log storage."
        )


def topic_configs() -> ConfigDef:
    """The keys of a topic, as `org.apache.kafka.storage.internals.log.LogConfig` defines them."""
    keys = ConfigDef()

    def long(name: str, default: int, text: str, low: int = 0) -> None:
        keys.define(name, Type.LONG, default, text, importance=Importance.MEDIUM, validator=between(low))

    def number(name: str, default: int, text: str, low: int = 0) -> None:
        keys.define(name, Type.INT, default, text, importance=Importance.MEDIUM, validator=between(low))

    keys.define("cleanup.policy", Type.LIST, "delete", "delete, compact, or both.", validator=_policies)
    keys.define("compression.type", Type.STRING, "producer", "Batches are stored as they came.", validator=_codec)
    for name, default, low, high in (
        ("compression.gzip.level", -1, -1, 9),
        ("compression.lz4.level", 9, 1, 17),
        ("compression.zstd.level", 3, -131_072, 22),
    ):
        keys.define(name, Type.INT, default, _PASSED_OVER, validator=between(low, high))
    long("delete.retention.ms", 86_400_000, "How long a tombstone outlives its key on a compacted topic.")
    long("file.delete.delay.ms", 60_000, "How long a deleted segment's file is kept.")
    long("flush.messages", MAX_LONG, "After how many records a write is forced to the disk before its answer.", 1)
    long("flush.ms", MAX_LONG, "After how long a write is forced to the disk.")
    number("index.interval.bytes", 4096, "Bytes of log between two entries of an index.")
    long("max.compaction.lag.ms", MAX_LONG, "How long a record may stay uncompacted.", 1)
    number("max.message.bytes", 1_048_588, "The largest record batch.")
    long("local.retention.bytes", -2, _PASSED_OVER, -2)
    long("local.retention.ms", -2, _PASSED_OVER, -2)
    long("message.timestamp.after.max.ms", 3_600_000, "How far in the future a record's timestamp may be.")
    long("message.timestamp.before.max.ms", MAX_LONG, "How far in the past a record's timestamp may be.")
    keys.define(
        "message.timestamp.type", Type.STRING, "CreateTime", "CreateTime or LogAppendTime.", validator=_timestamp_type
    )
    keys.define(
        "min.cleanable.dirty.ratio", Type.DOUBLE, 0.5, "From which part on a log is compacted.", validator=between(0, 1)
    )
    long("min.compaction.lag.ms", 0, "How long a record stays uncompacted at least.")
    number("min.insync.replicas", 1, "There is one replica, so 1 is what holds.", 1)
    keys.define("preallocate", Type.BOOLEAN, False, _PASSED_OVER)
    for name in ("remote.log.copy.disable", "remote.log.delete.on.disable", "remote.storage.enable"):
        keys.define(name, Type.BOOLEAN, False, "There is no tiered storage.", validator=_untiered)
    long("retention.bytes", -1, "The largest size of a partition; -1 for any.", -1)
    long("retention.ms", 604_800_000, "How long records are kept; -1 for ever.", -1)
    number("segment.bytes", 1_073_741_824, "The largest size of a segment.", 1_048_576)
    number("segment.index.bytes", 10_485_760, _PASSED_OVER, 4)
    long("segment.jitter.ms", 0, _PASSED_OVER)
    long("segment.ms", 604_800_000, "After how long a segment is rolled even if it is not full.", 1)
    keys.define("unclean.leader.election.enable", Type.BOOLEAN, False, _PASSED_OVER)
    keys.define("leader.replication.throttled.replicas", Type.LIST, "", _PASSED_OVER, validator=_replicas)
    keys.define("follower.replication.throttled.replicas", Type.LIST, "", _PASSED_OVER, validator=_replicas)
    return ConfigDef(keys.keys[name] for name in sorted(keys.keys))


TOPIC_CONFIGS: Final = topic_configs()


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What a log acts on; sizes in bytes, times in milliseconds, -1 for no limit."""

    segment_bytes: int = 1_073_741_824
    segment_ms: int = 604_800_000
    retention_ms: int = 604_800_000
    retention_bytes: int = -1
    max_message_bytes: int = 1_048_588
    index_interval_bytes: int = 4096
    compacts: bool = False
    deletes: bool = True
    stamps_append_time: bool = False
    timestamp_before_max_ms: int = MAX_LONG
    timestamp_after_max_ms: int = 3_600_000
    flush_messages: int = MAX_LONG
    flush_ms: int = MAX_LONG
    file_delete_delay_ms: int = 60_000
    delete_retention_ms: int = 86_400_000
    min_compaction_lag_ms: int = 0
    max_compaction_lag_ms: int = MAX_LONG
    min_cleanable_dirty_ratio: float = 0.5
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """From the parsed values of TOPIC_CONFIGS."""
        policies = values["cleanup.policy"]
        return cls(
            segment_bytes=values["segment.bytes"],
            segment_ms=values["segment.ms"],
            retention_ms=values["retention.ms"],
            retention_bytes=values["retention.bytes"],
            max_message_bytes=values["max.message.bytes"],
            index_interval_bytes=values["index.interval.bytes"],
            compacts="compact" in policies,
            deletes="delete" in policies,
            stamps_append_time=values["message.timestamp.type"] == "LogAppendTime",
            timestamp_before_max_ms=values["message.timestamp.before.max.ms"],
            timestamp_after_max_ms=values["message.timestamp.after.max.ms"],
            flush_messages=values["flush.messages"],
            flush_ms=values["flush.ms"],
            file_delete_delay_ms=values["file.delete.delay.ms"],
            delete_retention_ms=values["delete.retention.ms"],
            min_compaction_lag_ms=values["min.compaction.lag.ms"],
            max_compaction_lag_ms=values["max.compaction.lag.ms"],
            min_cleanable_dirty_ratio=values["min.cleanable.dirty.ratio"],
            raw=dict(values),
        )
