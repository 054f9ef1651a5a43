"""The keys `errors.*` of a connector, as `ConnectorConfig` and `SinkConnectorConfig` read them. Sans-IO."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from headrace.config import ConfigDef, Importance, Type
from headrace.config.definition import one_of

GROUP = "Error Handling"


def common_errors() -> ConfigDef:
    """The keys of every connector."""
    shown = {"group": GROUP, "importance": Importance.MEDIUM}
    return (
        ConfigDef()
        .define("errors.retry.timeout", Type.LONG, 0,
                "How many milliseconds a failed operation is tried again; -1: for ever.",
                order=1, width="MEDIUM", display_name="Retry Timeout for Errors", **shown)
        .define("errors.retry.delay.max.ms", Type.LONG, 60000, "The longest wait between two tries, in milliseconds.",
                order=2, width="MEDIUM", display_name="Maximum Delay Between Retries for Errors", **shown)
        .define("errors.tolerance", Type.STRING, "none",
                "none: a record that cannot be handled fails the task; all: it is skipped, counted and logged.",
                validator=one_of("none", "all"), order=3, width="SHORT", display_name="Error Tolerance", **shown)
        .define("errors.log.enable", Type.BOOLEAN, False, "Whether tolerated errors are logged one by one.",
                order=4, width="SHORT", display_name="Log Errors", **shown)
        .define("errors.log.include.messages", Type.BOOLEAN, False,
                "Whether the log shows the records that failed: it may then hold what they hold.",
                order=5, width="SHORT", display_name="Log Error Details", **shown)
    )  # fmt: skip


def sink_errors() -> ConfigDef:
    """The keys of sinks: the dead letter queue."""
    shown = {"group": GROUP, "importance": Importance.MEDIUM, "width": "MEDIUM"}
    return (
        ConfigDef()
        .define("errors.deadletterqueue.topic.name", Type.STRING, "",
                "The topic for records that could not be handled; empty: none.",
                order=6, display_name="DLQ Topic Name", **shown)
        .define("errors.deadletterqueue.topic.replication.factor", Type.SHORT, 3,
                "The replication factor of a dead letter queue that has to be created.",
                order=7, display_name="DLQ Topic Replication Factor", **shown)
        .define("errors.deadletterqueue.context.headers.enable", Type.BOOLEAN, False,
                "Whether records of the dead letter queue carry headers that say what went wrong.",
                order=8, display_name="Enable Error Context Headers", **shown)
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ErrorSettings:
    """What a connector wants done with records that fail; times in milliseconds, `retry_timeout_ms` -1 is for ever."""

    tolerant: bool = False
    retry_timeout_ms: int = 0
    retry_delay_max_ms: int = 60_000
    log_each: bool = False
    log_records: bool = False
    letter_topic: str = ""
    letter_replication: int = 3
    letter_headers: bool = False

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> Self:
        """Raises ConfigError that names the key at fault."""
        definition = common_errors().merge(sink_errors())
        found = definition.parse({key: value for key, value in properties.items() if key in definition.keys})
        return cls(
            found["errors.tolerance"] == "all",
            found["errors.retry.timeout"],
            found["errors.retry.delay.max.ms"],
            found["errors.log.enable"],
            found["errors.log.include.messages"],
            found["errors.deadletterqueue.topic.name"].strip(),
            found["errors.deadletterqueue.topic.replication.factor"],
            found["errors.deadletterqueue.context.headers.enable"],
        )

    @property
    def takes_reports(self) -> bool:
        """Whether a sink task may hand over records: as Java does where they are logged or dead-lettered, and also
        where they are skipped, which is counted and told of."""
        return self.tolerant or self.log_each or bool(self.letter_topic)
