"""The public fixtures: real servers that a test may kill and start again."""

import httpx
import pytest

from headrace.testing.servers import BrokerServer, ConnectServer


@pytest.mark.timeout(120)
def test_a_worker_runs_on_the_broker_and_comes_back_after_a_kill(broker: BrokerServer, connect: ConnectServer) -> None:
    assert connect.bootstrap == broker.bootstrap
    cluster = httpx.get(connect.url).json()["kafka_cluster_id"]
    broker.kill()
    connect.kill()
    assert not connect.process.running
    broker.start()
    connect.start()
    connect.wait_ready()
    assert httpx.get(connect.url).json()["kafka_cluster_id"] == cluster


def test_a_server_that_was_not_started_says_so(tmp_path) -> None:
    with pytest.raises(RuntimeError, match="broker was not started"):
        BrokerServer(tmp_path).process.raise_if_ended()
