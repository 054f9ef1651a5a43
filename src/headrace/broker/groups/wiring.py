"""Puts the coordinator into the broker: its settings from the configuration, its memory from `__consumer_offsets`."""

import time
import uuid
from typing import Any

from headrace.broker.groups.coordinator import GroupCoordinator
from headrace.broker.groups.offsets_topic import OffsetsTopic
from headrace.broker.groups.settings import GroupSettings
from headrace.broker.state import State


def plug(state: State) -> None:
    """Set `state.groups`, with what the topic holds. Once, when all logs are open and before any listener is."""
    journal = OffsetsTopic(state, _wall_ms)
    coordinator = GroupCoordinator(_settings(state.config), journal, state.timers, _wall_ms, _new_id)
    coordinator.replay(journal.entries())
    coordinator.loaded()
    state.groups = coordinator


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _new_id() -> str:
    return str(uuid.uuid4())


def _settings(config: Any) -> GroupSettings:
    return GroupSettings(
        min_session_timeout_ms=config.group_min_session_timeout_ms,
        max_session_timeout_ms=config.group_max_session_timeout_ms,
        max_size=config.group_max_size,
        initial_rebalance_delay_ms=config.group_initial_rebalance_delay_ms,
        offset_metadata_max_bytes=config.offset_metadata_max_bytes,
        offsets_retention_ms=config.offsets_retention_minutes * 60_000,
        retention_check_interval_ms=config.offsets_retention_check_interval_ms,
        partitions=config.offsets_topic_num_partitions,
        segment_bytes=config.offsets_topic_segment_bytes,
    )
