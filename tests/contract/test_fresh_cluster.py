"""A cluster that nobody has asked for a coordinator yet: `__consumer_offsets` is not there."""

from collections.abc import Iterator

import pytest
from kafka.protocol.admin.groups import ListGroupsRequest
from kafka.protocol.consumer.group import OffsetFetchRequest
from kafka.protocol.metadata import FindCoordinatorRequest, MetadataRequest

from headrace.wire.errors import ErrorCode
from tests.contract.broker_process import broker_process
from tests.contract.group_client import GroupMember, await_coordinator, commit, create_topic, describe, fetch_offsets
from tests.contract.wire_client import WireClient
from tests.kafka.cluster import kafka_node

GROUP = "readers"


@pytest.fixture(params=["headrace", pytest.param("kafka", marks=pytest.mark.kafka)])
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireClient]:
    """A connection to a server that has just been made."""
    start = {"headrace": broker_process, "kafka": kafka_node}[request.param]
    with start(tmp_path_factory.mktemp("fresh")) as server, WireClient(server.bootstrap) as wire:
        yield wire


def test_groups_are_coordinated_once_somebody_has_asked_who_does(fresh: WireClient) -> None:
    create_topic(fresh, "t")
    member = GroupMember(fresh, GROUP)
    assert member.join().error_code == ErrorCode.NOT_COORDINATOR
    assert member.sync().error_code == ErrorCode.NOT_COORDINATOR
    assert member.heartbeat() == ErrorCode.NOT_COORDINATOR
    assert member.leave(("m", None)).error_code == ErrorCode.NOT_COORDINATOR
    assert commit(fresh, GROUP, "t", {0: 1}) == [ErrorCode.NOT_COORDINATOR]
    asked = OffsetFetchRequest.OffsetFetchRequestGroup(group_id=GROUP, topics=None)
    assert fresh.call(OffsetFetchRequest(groups=[asked]), 8).groups[0].error_code == ErrorCode.NOT_COORDINATOR
    assert describe(fresh, GROUP).error_code == ErrorCode.NOT_COORDINATOR
    listed = fresh.call(ListGroupsRequest(states_filter=[], types_filter=[]), 5)
    assert (listed.error_code, listed.groups) == (ErrorCode.NONE, [])
    assert "__consumer_offsets" not in [one.name for one in fresh.call(MetadataRequest(topics=None), 12).topics]

    await_coordinator(fresh, GROUP)
    assert commit(fresh, GROUP, "t", {0: 1}) == [ErrorCode.NONE]
    assert fetch_offsets(fresh, GROUP) == {"t": {0: 1}}


def test_our_first_answer_names_the_coordinator_and_transactions_have_none(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Listed deviations: Apache Kafka makes the client ask again, and coordinates transactions."""
    with broker_process(tmp_path_factory.mktemp("fresh")) as broker, WireClient(broker.bootstrap) as wire:
        found = wire.call(FindCoordinatorRequest(key_type=0, coordinator_keys=[GROUP]), 4).coordinators[0]
        assert (found.error_code, found.node_id) == (ErrorCode.NONE, 1)
        refused = wire.call(FindCoordinatorRequest(key_type=1, coordinator_keys=["t"]), 4).coordinators[0]
        assert (refused.error_code, refused.node_id) == (ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, -1)
        assert "use Apache Kafka" in refused.error_message
