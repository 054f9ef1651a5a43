"""DescribeCluster (key 60): the cluster and its broker."""

import pytest
from kafka.protocol.admin.cluster import DescribeClusterRequest
from kafka.protocol.metadata import MetadataRequest

from tests.contract.wire_client import WireClient

MISMATCHED_ENDPOINT_TYPE = 114
UNSUPPORTED_ENDPOINT_TYPE = 115


@pytest.mark.parametrize("version", [0, 1, 2])
def test_the_cluster_is_the_one_that_metadata_names(wire: WireClient, version: int) -> None:
    more = {"endpoint_type": 1} if version >= 1 else {}
    answer = wire.call(DescribeClusterRequest(include_cluster_authorized_operations=True, **more), version)
    metadata = wire.call(MetadataRequest(topics=[]), 12)
    (broker,) = answer.brokers
    assert (answer.error_code, answer.error_message) == (0, None)
    assert answer.cluster_id == metadata.cluster_id
    assert (broker.broker_id, broker.port) == (1, metadata.brokers[0].port)
    assert answer.authorized_operations == {5, 7, 8, 9, 10, 11, 12}


def test_a_broker_is_no_controller(wire: WireClient) -> None:
    assert wire.call(DescribeClusterRequest(endpoint_type=2), 1).error_code == MISMATCHED_ENDPOINT_TYPE
    unknown = wire.call(DescribeClusterRequest(endpoint_type=7), 1)
    assert (unknown.error_code, unknown.error_message) == (UNSUPPORTED_ENDPOINT_TYPE, "Unsupported endpoint type 7")
