"""The link, on our broker and on Apache Kafka."""

import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.connect.client.link import Answer, Link, LinkError
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import InitProducerIdRequest, MetadataRequest, ProduceRequest
from tests.conftest import free_port
from tests.connect.conftest import Brokers
from tests.contract.broker_process import broker_process

DEADLINE_S = 30.0


def done(link: Link, answer: Answer) -> Answer:
    """The answer, once it has come."""
    until = time.monotonic() + DEADLINE_S
    while not answer.is_done:
        assert time.monotonic() < until, "no answer"
        link.poll(0.1)
    return answer


def value(link: Link, answer: Answer):
    done(link, answer)
    if answer.exception is not None:
        raise answer.exception
    return answer.value


def topic_of(link: Link, name: str):
    """The topic's metadata, once it has leaders."""
    until = time.monotonic() + DEADLINE_S
    while True:
        topic = value(link, link.metadata([name], create=True))[name]
        if topic.error_code == 0 and all(each.leader >= 0 for each in topic.partitions.values()):
            return topic
        assert time.monotonic() < until, topic


@pytest.fixture
def link(brokers: Brokers) -> Iterator[Link]:
    made = Link({"bootstrap.servers": brokers.bootstrap}, client_id="test")
    yield made
    made.close()


def test_metadata_names_leaders_and_the_topics_id(link: Link):
    topic = topic_of(link, f"link-{uuid.uuid4().hex[:8]}")
    assert list(topic.partitions) == [0]
    assert topic.topic_id is not None


def test_a_topic_that_is_not_there_is_told_and_not_made(link: Link):
    name = f"link-{uuid.uuid4().hex[:8]}"
    for _ in range(2):
        assert value(link, link.metadata([name]))[name].error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


def test_a_request_is_answered_by_the_node_it_was_sent_to(link: Link):
    leader = topic_of(link, f"link-{uuid.uuid4().hex[:8]}").partitions[0].leader
    request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=1000)
    assert type(value(link, link.send(leader, request))).__name__ == "InitProducerIdResponse"
    assert link.is_ready(leader)
    assert link.version(leader, ProduceRequest) == 13


def test_answers_of_a_node_come_in_the_order_of_the_requests(link: Link):
    leader = topic_of(link, f"link-{uuid.uuid4().hex[:8]}").partitions[0].leader
    came: list[int] = []
    answers = []
    for number in range(5):
        answer = link.send(leader, MetadataRequest(topics=[]))
        answer.add_callback(lambda reply, number=number: came.append(number))
        answers.append(answer)
    for answer in answers:
        value(link, answer)
    assert came == [0, 1, 2, 3, 4]


def test_an_unknown_node_fails_the_answer(link: Link):
    value(link, link.metadata([]))
    assert isinstance(done(link, link.send(4711, MetadataRequest(topics=[]))).exception, LinkError)


def test_a_dropped_connection_fails_what_it_owes_and_is_made_anew(link: Link):
    leader = topic_of(link, f"link-{uuid.uuid4().hex[:8]}").partitions[0].leader
    value(link, link.send(leader, MetadataRequest(topics=[])))
    owed = link.send(leader, MetadataRequest(topics=[]))
    link.disconnect(leader)
    assert done(link, owed).exception is not None
    assert value(link, link.send(leader, MetadataRequest(topics=[]))).brokers


def test_wakeup_ends_a_poll(link: Link):
    value(link, link.metadata([]))
    threading.Timer(0.2, link.wakeup).start()
    began = time.monotonic()
    while time.monotonic() < began + 0.1:  # what is still on its way
        link.poll(0.05)
    link.poll(20)
    assert time.monotonic() - began < 10


def test_a_link_waits_for_its_broker_and_outlives_its_restart(tmp_path: Path):
    port = free_port()
    link = Link({"bootstrap.servers": f"127.0.0.1:{port}"}, client_id="test")
    try:
        answer = link.metadata([])
        link.poll(0.2)
        assert not answer.is_done
        with broker_process(tmp_path, port=port):
            value(link, answer)
            leader = topic_of(link, "t").partitions[0].leader
        with broker_process(tmp_path, port=port):
            until = time.monotonic() + DEADLINE_S
            while done(link, link.send(leader, MetadataRequest(topics=[]))).exception is not None:
                assert time.monotonic() < until
                link.poll(0.05)
    finally:
        link.close()


def test_a_link_that_is_closed_while_it_connects_leaves_no_socket_behind():
    link = Link({"bootstrap.servers": f"127.0.0.1:{free_port()}"}, client_id="test")
    answer = link.metadata([])
    link.poll(0.05)
    link.close()
    assert not answer.is_done or answer.exception is not None
