"""Nulls where there can be none, in every request that the broker reads."""

import pytest
from kafka.protocol.consumer.group import (
    HeartbeatRequest,
    JoinGroupRequest,
    OffsetCommitRequest,
    OffsetFetchRequest,
)
from kafka.protocol.metadata import FindCoordinatorRequest, MetadataRequest

from headrace.wire.nulls import first_null

Protocol = JoinGroupRequest.JoinGroupRequestProtocol


def _join(**changes: object) -> JoinGroupRequest:
    fields = {
        "group_id": "g",
        "member_id": "",
        "protocol_type": "consumer",
        "protocols": [Protocol(name="range", metadata=b"")],
        "reason": None,
    }
    return JoinGroupRequest(**{**fields, **changes})


def test_a_whole_request_has_none() -> None:
    assert first_null(_join(), 9) is None
    assert first_null(HeartbeatRequest(group_id="g", generation_id=1, member_id="m"), 4) is None


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"group_id": None}, "group_id"),
        ({"protocols": None}, "protocols"),
        ({"protocols": [Protocol(name="a", metadata=b""), Protocol(name="b", metadata=None)]}, "protocols.metadata"),
    ],
)
def test_strings_arrays_and_what_arrays_hold_are_looked_at(changes: dict[str, object], name: str) -> None:
    assert first_null(_join(**changes), 9) == name


def test_what_may_be_null_depends_on_the_version() -> None:
    named = MetadataRequest(topics=[MetadataRequest.MetadataRequestTopic(name=None)])
    assert first_null(named, 9) == "topics.name"
    assert first_null(named, 10) is None
    everything = OffsetFetchRequest(group_id="g", topics=None)
    assert first_null(everything, 1) == "topics"
    assert first_null(everything, 2) is None


def test_fields_that_the_version_does_not_have_do_not_count() -> None:
    topic = OffsetCommitRequest.OffsetCommitRequestTopic(name=None, partitions=[])
    commit = OffsetCommitRequest(group_id="g", member_id="", topics=[topic])
    assert first_null(commit, 9) == "topics.name"
    assert first_null(commit, 10) is None


def test_an_array_of_names_has_no_null_in_it() -> None:
    assert first_null(FindCoordinatorRequest(key_type=0, coordinator_keys=["g", None]), 4) == "coordinator_keys"
