"""IncrementalAlterConfigs and AlterConfigs (keys 44, 33): what is changed, what it does, and what is refused."""

import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from headrace.wire.errors import ErrorCode
from tests.contract.config_client import (
    APPEND,
    BROKER,
    DEFAULT,
    DELETE,
    OF_BROKER,
    OF_CLUSTER,
    OF_TOPIC,
    SET,
    SUBTRACT,
    TOPIC,
    Op,
    Seen,
    alter,
    await_error,
    await_seen,
    replace,
    seen,
)
from tests.contract.data_client import batch, create_topic, fetch, produce
from tests.contract.wire_client import WireClient

NOT_SET: Final = Seen("604800000", DEFAULT, [])
NO_LIST: Final = "because its type is not LIST."
DONE: Final = [(0, None)]
CODECS: Final = (
    "Invalid value GZIP for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, "
    "gzip, producer"
)
THROTTLED: Final = (
    "Invalid value [abc] for configuration leader.replication.throttled.replicas: "
    "leader.replication.throttled.replicas must be the literal '*' or a list of replicas in the following format: "
    "[partitionId]:[brokerId],[partitionId]:[brokerId],..."
)
UNTIERED: Final = (
    "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage."
)


def _own(key: str, value: str, *more: tuple[str, str, int]) -> Seen:
    return Seen(value, OF_TOPIC, [(key, value, OF_TOPIC), *more])


def _policy(value: str) -> Seen:
    return _own("cleanup.policy", value, ("log.cleanup.policy", "delete", DEFAULT))


def _refusals(wire: WireClient, kind: int, name: str, *ops: Op) -> tuple[int, str | None]:
    (answer,) = alter(wire, (kind, name, ops))
    return answer


class TestTopic:
    @pytest.mark.parametrize("version", range(2))
    def test_a_value_is_set_and_unset(self, wire: WireClient, topic_name: str, version: int) -> None:
        create_topic(wire, topic_name)
        assert alter(wire, (TOPIC, topic_name, [("retention.ms", SET, " 17 ")]), version=version) == DONE
        await_seen(wire, TOPIC, topic_name, "retention.ms", _own("retention.ms", "17"))
        assert alter(wire, (TOPIC, topic_name, [("retention.ms", DELETE, None)]), version=version) == DONE
        await_seen(wire, TOPIC, topic_name, "retention.ms", NOT_SET)

    @pytest.mark.parametrize("key", ["retention.ms", "no.such.key"])
    def test_to_unset_what_is_not_set_is_no_fault(self, wire: WireClient, topic_name: str, key: str) -> None:
        create_topic(wire, topic_name)
        assert alter(wire, (TOPIC, topic_name, [(key, DELETE, None)])) == DONE

    def test_validation_alone_changes_nothing(self, wire: WireClient, topic_name: str) -> None:
        create_topic(wire, topic_name)
        asked = (TOPIC, topic_name, [("retention.ms", SET, "5")])
        assert alter(wire, asked, validate_only=True) == DONE
        assert alter(wire, (TOPIC, topic_name, [("segment.ms", SET, "60000")])) == DONE
        await_seen(wire, TOPIC, topic_name, "segment.ms", _own("segment.ms", "60000"))
        assert seen(wire, TOPIC, topic_name, "retention.ms") == NOT_SET

    def test_a_list_is_appended_to_and_subtracted_from_beginning_with_the_default(
        self, wire: WireClient, topic_name: str
    ) -> None:
        create_topic(wire, topic_name)
        for op, value, now in (
            (APPEND, "compact", "delete,compact"),
            (APPEND, "compact", "delete,compact"),
            (SUBTRACT, "delete", "compact"),
            (SUBTRACT, "compact,other", ""),
            (SET, "delete,delete", "delete"),
        ):
            assert alter(wire, (TOPIC, topic_name, [("cleanup.policy", op, value)])) == DONE
            await_seen(wire, TOPIC, topic_name, "cleanup.policy", _policy(now))

    @pytest.mark.parametrize(
        ("ops", "error", "text"),
        [
            ([("retention.ms", APPEND, "5")], 40, f"Can't APPEND to key retention.ms {NO_LIST}"),
            ([("retention.ms", SUBTRACT, "5")], 40, f"Can't SUBTRACT to key retention.ms {NO_LIST}"),
            ([("no.such", APPEND, "5")], 40, f"Can't APPEND to key no.such {NO_LIST}"),
            ([("no.such", SET, "5")], 40, "Unknown topic config name: no.such"),
            (
                [("retention.ms", SET, None), ("segment.ms", SET, None)],
                42,
                "Null value not supported for : retention.ms, segment.ms",
            ),
            ([("retention.ms", SET, "1"), ("retention.ms", SET, "2")], 42, "Error due to duplicate config keys"),
            (
                [("retention.ms", SET, "abc")],
                40,
                "Invalid value abc for configuration retention.ms: Not a number of type LONG",
            ),
            (
                [("retention.ms", SET, "-5")],
                40,
                "Invalid value -5 for configuration retention.ms: Value must be at least -1",
            ),
            (
                [("min.cleanable.dirty.ratio", SET, "5")],
                40,
                "Invalid value 5.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1",
            ),
            (
                [("cleanup.policy", SET, "delete,,compact")],
                40,
                "Configuration 'cleanup.policy' values must not be empty.",
            ),
            (
                [("cleanup.policy", SET, "delete,other")],
                40,
                "Invalid value other for configuration cleanup.policy: String must be one of: compact, delete",
            ),
            (
                [("preallocate", SET, "foo")],
                40,
                "Invalid value foo for configuration preallocate: Expected value to be either true or false",
            ),
            (
                [("compression.type", SET, "GZIP")],
                40,
                CODECS,
            ),
            (
                [("max.compaction.lag.ms", SET, "5"), ("min.compaction.lag.ms", SET, "6")],
                40,
                "conflict topic config setting min.compaction.lag.ms (6) > max.compaction.lag.ms (5)",
            ),
            (
                [("leader.replication.throttled.replicas", SET, "abc")],
                40,
                THROTTLED,
            ),
            (
                [("remote.storage.enable", SET, "true")],
                40,
                UNTIERED,
            ),
        ],
    )
    def test_what_will_not_do_changes_nothing(
        self, wire: WireClient, topic_name: str, ops: list[Op], error: int, text: str
    ) -> None:
        create_topic(wire, topic_name)
        assert _refusals(wire, TOPIC, topic_name, ("segment.ms", SET, "60000")) == (0, None)
        assert _refusals(wire, TOPIC, topic_name, ("retention.bytes", SET, "5"), *ops) == (error, text)
        await_seen(wire, TOPIC, topic_name, "segment.ms", _own("segment.ms", "60000"))
        found = seen(wire, TOPIC, topic_name, "retention.bytes")
        assert found is not None
        assert found.value == "-1"

    def test_replicas_to_be_throttled_are_kept(self, wire: WireClient, topic_name: str) -> None:
        key = "leader.replication.throttled.replicas"
        create_topic(wire, topic_name)
        for op, value, now in ((SET, "0:1,1:1", "0:1,1:1"), (SUBTRACT, "0:1,9:9", "1:1"), (SET, "*", "*")):
            assert alter(wire, (TOPIC, topic_name, [(key, op, value)])) == DONE
            await_seen(wire, TOPIC, topic_name, key, _own(key, now))

    def test_an_operation_that_does_not_exist_is_refused(self, wire: WireClient, topic_name: str) -> None:
        create_topic(wire, topic_name)
        assert _refusals(wire, TOPIC, topic_name, ("retention.ms", 9, "5"))[0] != 0
        text = "Unknown operations type 9"
        assert _refusals(wire, BROKER, "1", ("log.retention.ms", 9, "5")) == (ErrorCode.INVALID_REQUEST, text)

    def test_each_of_many_resources_is_answered_by_itself(self, wire: WireClient, topic_name: str) -> None:
        create_topic(wire, topic_name)
        ops: list[Op] = [("retention.ms", SET, "5")]
        assert alter(wire, (TOPIC, "no-such-topic", ops), (TOPIC, topic_name, ops)) == [
            (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "The topic 'no-such-topic' does not exist."),
            (0, None),
        ]
        await_seen(wire, TOPIC, topic_name, "retention.ms", _own("retention.ms", "5"))

    def test_nothing_asked_is_nothing_answered(self, wire: WireClient, topic_name: str) -> None:
        create_topic(wire, topic_name)
        assert alter(wire) == []
        assert alter(wire, (TOPIC, topic_name, [])) == DONE


@pytest.mark.parametrize(
    ("kind", "name", "error", "text"),
    [
        (TOPIC, "", ErrorCode.INVALID_REQUEST, "Default topic resources are not allowed."),
        (
            *(TOPIC, "..", ErrorCode.INVALID_TOPIC_EXCEPTION),
            "Topic name is invalid: '..' is not allowed",
        ),
        (BROKER, "7", ErrorCode.INVALID_REQUEST, "Unexpected broker id, expected 1, but received 7"),
        (BROKER, "x", ErrorCode.INVALID_REQUEST, "Node id must be an integer, but it is: x"),
        (9, "x", ErrorCode.INVALID_REQUEST, "Unknown resource type 9"),
    ],
)
def test_resources_that_cannot_be_altered(wire: WireClient, kind: int, name: str, error: int, text: str) -> None:
    key = "message.max.bytes" if kind == BROKER else "max.message.bytes"
    assert alter(wire, (kind, name, [(key, SET, "5000")])) == [(error, text)]
    assert replace(wire, (kind, name, [(key, "5000")])) == [(error, text)]


def test_a_resource_named_twice_is_refused_twice(wire: WireClient, topic_name: str) -> None:
    create_topic(wire, topic_name)
    asked: tuple[int, str, list[Op]] = (TOPIC, topic_name, [("retention.ms", SET, "5")])
    text = "Each resource must appear at most once."
    assert alter(wire, asked, asked) == [(ErrorCode.INVALID_REQUEST, text)] * 2


class TestWhatIsChangedHolds:
    def test_the_largest_batch(self, wire: WireClient, topic_name: str) -> None:
        create_topic(wire, topic_name)
        assert produce(wire, topic_name, batch(b"x" * 500)).error_code == 0
        alter(wire, (TOPIC, topic_name, [("max.message.bytes", SET, "300")]))
        await_seen(
            *(wire, TOPIC, topic_name, "max.message.bytes"),
            _own("max.message.bytes", "300", ("message.max.bytes", "1048588", DEFAULT)),
        )
        large = batch(b"x" * 500)
        await_error(lambda: produce(wire, topic_name, large).error_code, ErrorCode.MESSAGE_TOO_LARGE)
        assert produce(wire, topic_name, batch(b"x")).error_code == 0

    def test_the_type_of_timestamps(self, wire: WireClient, topic_name: str) -> None:
        create_topic(wire, topic_name)
        assert produce(wire, topic_name, batch(b"x", timestamps=[1000])).log_append_time_ms == -1
        alter(wire, (TOPIC, topic_name, [("message.timestamp.type", SET, "LogAppendTime")]))
        await_seen(
            *(wire, TOPIC, topic_name, "message.timestamp.type"),
            _own("message.timestamp.type", "LogAppendTime", ("log.message.timestamp.type", "CreateTime", DEFAULT)),
        )
        deadline = time.monotonic() + 20
        while produce(wire, topic_name, batch(b"x", timestamps=[1000])).log_append_time_ms <= 1000:
            assert time.monotonic() < deadline

    def test_compaction_wants_keys(self, wire: WireClient, topic_name: str) -> None:
        create_topic(wire, topic_name)
        assert produce(wire, topic_name, batch(b"x", key=None)).error_code == 0
        alter(wire, (TOPIC, topic_name, [("cleanup.policy", SET, "compact")]))
        await_seen(wire, TOPIC, topic_name, "cleanup.policy", _policy("compact"))
        await_error(lambda: produce(wire, topic_name, batch(b"x", key=None)).error_code, ErrorCode.INVALID_RECORD)


class TestReplacing:
    """AlterConfigs: the legacy API sets all, and what is not named is unset."""

    @pytest.mark.parametrize("version", range(3))
    def test_what_is_not_named_is_unset(self, wire: WireClient, topic_name: str, version: int) -> None:
        create_topic(wire, topic_name, configs={"segment.ms": "60000", "retention.ms": "5"})
        assert replace(wire, (TOPIC, topic_name, [("retention.ms", "6")]), version=version) == DONE
        await_seen(wire, TOPIC, topic_name, "retention.ms", _own("retention.ms", "6"))
        await_seen(wire, TOPIC, topic_name, "segment.ms", NOT_SET)

    def test_validation_alone_changes_nothing(self, wire: WireClient, topic_name: str) -> None:
        create_topic(wire, topic_name, configs={"segment.ms": "60000"})
        assert replace(wire, (TOPIC, topic_name, [("retention.ms", "6")]), validate_only=True) == DONE
        assert seen(wire, TOPIC, topic_name, "segment.ms") == _own("segment.ms", "60000")

    @pytest.mark.parametrize(
        ("configs", "error", "text"),
        [
            ([("retention.ms", None)], 42, "Null value not supported for : retention.ms"),
            ([("no.such", "1")], 40, "Unknown topic config name: no.such"),
            ([("retention.ms", "1"), ("retention.ms", "1")], 42, "Error due to duplicate config keys"),
        ],
    )
    def test_what_will_not_do(
        self, wire: WireClient, topic_name: str, configs: list[tuple[str, Any]], error: int, text: str
    ) -> None:
        create_topic(wire, topic_name)
        assert replace(wire, (TOPIC, topic_name, configs)) == [(error, text)]


class TestBroker:
    """Configuration of the broker holds for all topics: each test leaves it as it was."""

    @pytest.fixture(autouse=True)
    def _as_it_was(self, wire: WireClient) -> Iterator[None]:
        keys = ("log.retention.ms", "message.max.bytes", "log.cleanup.policy")
        before = {key: seen(wire, BROKER, "1", key) for key in keys}
        yield
        for name in ("1", ""):
            assert alter(wire, (BROKER, name, [(key, DELETE, None) for key in keys])) == DONE
        for key in keys:
            await_seen(wire, BROKER, "1", key, before[key])

    def test_for_this_broker_goes_before_for_all_of_them(self, wire: WireClient, topic_name: str) -> None:
        create_topic(wire, topic_name)
        key, hours = "log.retention.ms", ("log.retention.hours", "168", DEFAULT)
        assert alter(wire, (BROKER, "", [(key, SET, "76400000")])) == DONE
        assert alter(wire, (BROKER, "1", [(key, SET, "86400000")])) == DONE
        both = Seen("86400000", OF_BROKER, [(key, "86400000", OF_BROKER), (key, "76400000", OF_CLUSTER), hours])
        await_seen(wire, BROKER, "1", key, both)
        await_seen(wire, BROKER, "", key, Seen("76400000", OF_CLUSTER, [(key, "76400000", OF_CLUSTER)]))
        await_seen(wire, TOPIC, topic_name, "retention.ms", both)
        assert alter(wire, (BROKER, "1", [(key, DELETE, None)])) == DONE
        one = Seen("76400000", OF_CLUSTER, [(key, "76400000", OF_CLUSTER), hours])
        await_seen(wire, TOPIC, topic_name, "retention.ms", one)

    def test_a_topic_that_has_its_own_is_not_changed(self, wire: WireClient, topic_name: str) -> None:
        create_topic(wire, topic_name, configs={"max.message.bytes": "3000"})
        alter(wire, (BROKER, "", [("message.max.bytes", SET, "300")]))
        expected = _own(
            *("max.message.bytes", "3000"),
            *(("message.max.bytes", "300", OF_CLUSTER), ("message.max.bytes", "1048588", DEFAULT)),
        )
        await_seen(wire, TOPIC, topic_name, "max.message.bytes", expected)
        assert produce(wire, topic_name, batch(b"x" * 500)).error_code == 0

    def test_a_topic_that_has_none_of_its_own_is(self, wire: WireClient, topic_name: str) -> None:
        create_topic(wire, topic_name)
        alter(wire, (BROKER, "", [("message.max.bytes", SET, "300")]))
        key, synonyms = "message.max.bytes", [("message.max.bytes", "300", OF_CLUSTER)]
        expected = Seen("300", OF_CLUSTER, [*synonyms, (key, "1048588", DEFAULT)])
        await_seen(wire, TOPIC, topic_name, "max.message.bytes", expected)
        large = batch(b"x" * 500)
        await_error(lambda: produce(wire, topic_name, large).error_code, ErrorCode.MESSAGE_TOO_LARGE)

    def test_lists_are_appended_to_beginning_with_the_default(self, wire: WireClient) -> None:
        key = "log.cleanup.policy"
        assert alter(wire, (BROKER, "1", [(key, APPEND, "compact")])) == DONE
        synonyms = [(key, "delete,compact", OF_BROKER), (key, "delete", DEFAULT)]
        await_seen(wire, BROKER, "1", key, Seen("delete,compact", OF_BROKER, synonyms))

    @pytest.mark.parametrize(
        ("ops", "error", "text"),
        [
            ([("num.partitions", SET, "3")], 42, "Cannot update these configs dynamically: [num.partitions]"),
            (
                [("message.max.bytes", SET, "abc")],
                42,
                "Invalid value abc for configuration message.max.bytes: Not a number of type INT",
            ),
            (
                [("message.max.bytes", SET, "-5")],
                42,
                "Invalid value -5 for configuration message.max.bytes: Value must be at least 0",
            ),
            ([("no.such", APPEND, "3")], 40, "Unknown config name: no.such"),
            (
                [("log.retention.ms", APPEND, "3")],
                40,
                "Config value append is not allowed for config key: log.retention.ms",
            ),
        ],
    )
    def test_what_will_not_do(self, wire: WireClient, ops: list[Op], error: int, text: str) -> None:
        assert _refusals(wire, BROKER, "1", *ops) == (error, text)

    def test_the_replicas_in_sync_are_set_for_all_brokers_or_not_at_all(self, wire: WireClient) -> None:
        key = "min.insync.replicas"
        assert _refusals(wire, BROKER, "1", (key, SET, "1")) == (
            ErrorCode.INVALID_CONFIG,
            "Broker-level min.insync.replicas cannot be altered while ELR is enabled.",
        )
        removed = "Cluster-level min.insync.replicas cannot be removed while ELR is enabled."
        assert _refusals(wire, BROKER, "", (key, DELETE, None)) == (ErrorCode.INVALID_CONFIG, removed)
        assert replace(wire, (BROKER, "", [])) == [(ErrorCode.INVALID_CONFIG, removed)]


def test_records_outlive_a_change(wire: WireClient, topic_name: str) -> None:
    create_topic(wire, topic_name)
    produce(wire, topic_name, batch(b"before"))
    alter(wire, (TOPIC, topic_name, [("segment.bytes", SET, "1048576")]))
    produce(wire, topic_name, batch(b"after"))
    assert fetch(wire, topic_name).high_watermark == 2
