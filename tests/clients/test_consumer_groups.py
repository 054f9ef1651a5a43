"""Consumer groups of real clients on our broker: confluent-kafka, kafka-python, kcat, Java's tools."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from kafka import KafkaConsumer
from tests.clients.consumers import consumer, create_topic, drive, killable_consumer, produce, shares
from tests.conftest import need
from tests.contract.broker_process import BrokerProcess, broker_process
from tests.kafka.cluster import run_tool


def test_two_consumers_share_the_partitions_and_a_third_gets_its_part(
    broker: BrokerProcess, topic: str, group: str
) -> None:
    create_topic(broker.bootstrap, topic, 6)
    members = [consumer(broker.bootstrap, group) for _ in range(3)]
    for count in (1, 2, 3):
        members[count - 1].subscribe([topic])
        drive(members[:count], lambda _, count=count: shares(members[:count]) == [6 // count] * count)
    produce(broker.bootstrap, topic, [str(number) for number in range(600)])
    messages = drive(members, lambda got: len(got) >= 600)
    assert sorted(int(message.value()) for message in messages) == list(range(600))
    members[0].close()
    drive(members[1:], lambda _: shares(members[1:]) == [3, 3])
    for member in members[1:]:
        member.close()


def test_partitions_of_a_killed_consumer_go_to_those_who_live(broker: BrokerProcess, topic: str, group: str) -> None:
    create_topic(broker.bootstrap, topic, 4)
    member = consumer(broker.bootstrap, group)
    member.subscribe([topic])
    drive([member], lambda _: shares([member]) == [4])
    with killable_consumer(broker.bootstrap, group, topic) as other:
        drive([member], lambda _: shares([member]) == [2])
        other.kill()
        drive([member], lambda _: shares([member]) == [4])
    member.close()


def test_cooperative_members_keep_what_they_have(broker: BrokerProcess, topic: str, group: str) -> None:
    create_topic(broker.bootstrap, topic, 4)
    members = [consumer(broker.bootstrap, group, partition_assignment_strategy="cooperative-sticky") for _ in range(2)]
    members[0].subscribe([topic])
    drive(members[:1], lambda _: shares(members[:1]) == [4])
    members[1].subscribe([topic])
    drive(members, lambda _: shares(members) == [2, 2])
    for member in members:
        member.close()


def test_a_static_member_that_restarts_gets_its_partitions_back_without_a_rebalance(
    broker: BrokerProcess, topic: str, group: str
) -> None:
    create_topic(broker.bootstrap, topic, 4)
    revoked: list[int] = []
    stays = consumer(broker.bootstrap, group, group_instance_id="stays")
    goes = consumer(broker.bootstrap, group, group_instance_id="goes")
    stays.subscribe([topic], on_revoke=lambda _, parts: revoked.append(len(parts)))
    goes.subscribe([topic])
    drive([stays, goes], lambda _: shares([stays, goes]) == [2, 2])
    before = {(one.topic, one.partition) for one in goes.assignment()}
    revoked.clear()
    goes.close()  # a static member leaves without saying so
    again = consumer(broker.bootstrap, group, group_instance_id="goes")
    again.subscribe([topic])
    drive([stays, again], lambda _: shares([again]) == [2])
    assert {(one.topic, one.partition) for one in again.assignment()} == before
    assert revoked == []
    stays.close()
    again.close()


def test_a_group_goes_on_from_what_it_committed(broker: BrokerProcess, topic: str, group: str) -> None:
    create_topic(broker.bootstrap, topic, 1)
    produce(broker.bootstrap, topic, ["a", "b", "c"])
    first = consumer(broker.bootstrap, group)
    first.subscribe([topic])
    messages = drive([first], lambda got: len(got) >= 2)
    first.commit(messages[1], asynchronous=False)
    first.close()
    second = consumer(broker.bootstrap, group)
    second.subscribe([topic])
    assert [message.value() for message in drive([second], lambda got: len(got) >= 1)] == [b"c"]
    second.close()


def test_committed_offsets_and_members_survive_a_kill_of_the_broker(tmp_path: Path, topic: str, group: str) -> None:
    with broker_process(tmp_path) as broker:
        create_topic(broker.bootstrap, topic, 2)
        produce(broker.bootstrap, topic, [str(number) for number in range(10)], partition=0)
        member = consumer(broker.bootstrap, group)
        member.subscribe([topic])
        messages = drive([member], lambda got: len(got) >= 10)
        member.commit(messages[6], asynchronous=False)
        broker.kill()
        broker.start()
        produce(broker.bootstrap, topic, ["after"], partition=1)
        assert drive([member], lambda got: len(got) >= 1)[-1].value() == b"after"
        (committed,) = member.committed([TopicPartition(topic, 0)], 20)
        assert committed.offset == 7
        member.close()


def test_kafka_python_consumes_in_a_group_and_goes_on(broker: BrokerProcess, topic: str, group: str) -> None:
    create_topic(broker.bootstrap, topic, 2)
    produce(broker.bootstrap, topic, ["a", "b", "c", "d"], partition=1)
    for expected in (["a", "b"], ["c", "d"]):
        client = KafkaConsumer(
            topic,
            bootstrap_servers=broker.bootstrap,
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_poll_records=2,
            consumer_timeout_ms=20_000,
        )
        values = []
        for record in client:
            values.append(record.value.decode())
            if len(values) == 2:
                break
        client.commit()
        client.close()
        assert values == expected


def test_kcat_consumes_in_a_group(broker: BrokerProcess, topic: str, group: str) -> None:
    kcat = need("kcat", "apt-get install kcat")
    create_topic(broker.bootstrap, topic, 2)
    produce(broker.bootstrap, topic, ["one", "two", "three"])
    command = [kcat, "-b", broker.bootstrap, "-G", group, "-c", "3", "-X", "auto.offset.reset=earliest", topic]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, stdin=subprocess.DEVNULL)
    assert sorted(done.stdout.split()) == ["one", "three", "two"]


def test_a_producer_that_wants_transactions_is_told_at_once(broker: BrokerProcess) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": "t"})
    with pytest.raises(KafkaException) as caught:
        producer.init_transactions(20)
    error = caught.value.args[0]
    assert error.fatal() or not error.retriable()
    assert "Timed out" not in error.str()


def test_an_administrator_sees_moves_and_removes_groups(broker: BrokerProcess, topic: str, group: str) -> None:
    create_topic(broker.bootstrap, topic, 2)
    produce(broker.bootstrap, topic, ["a", "b"], partition=0)
    member = consumer(broker.bootstrap, group, client_id="reader")
    member.subscribe([topic])
    member.commit(drive([member], lambda got: len(got) >= 2)[-1], asynchronous=False)
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    listed = admin.list_consumer_groups(request_timeout=20).result()
    assert listed.errors == []
    assert (group, ConsumerGroupState.STABLE) in [(one.group_id, one.state) for one in listed.valid]
    described = admin.describe_consumer_groups([group], request_timeout=20)[group].result()
    (shown,) = described.members
    assert (described.partition_assignor, shown.client_id, shown.host) == ("range", "reader", "/127.0.0.1")
    assert {one.partition for one in shown.assignment.topic_partitions} == {0, 1}
    member.close()
    moved = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 1)])
    admin.alter_consumer_group_offsets([moved], request_timeout=20)[group].result()
    asked = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0)])
    found = admin.list_consumer_group_offsets([asked], request_timeout=20)[group].result()
    assert [one.offset for one in found.topic_partitions] == [1]
    admin.delete_consumer_groups([group], request_timeout=20)[group].result()
    assert group not in [one.group_id for one in admin.list_consumer_groups(request_timeout=20).result().valid]


@pytest.mark.kafka
def test_java_describes_lists_and_resets_our_groups(broker: BrokerProcess, topic: str, group: str) -> None:
    create_topic(broker.bootstrap, topic, 2)
    produce(broker.bootstrap, topic, ["a", "b", "c"], partition=0)
    member = consumer(broker.bootstrap, group)
    member.subscribe([topic])
    messages = drive([member], lambda got: len(got) >= 3)
    member.commit(messages[1], asynchronous=False)
    admin = ("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--bootstrap-server", broker.bootstrap)
    (row,) = [
        line.split()
        for line in run_tool(*admin, "--describe", "--group", group).splitlines()
        if f"{topic} 0" in " ".join(line.split())
    ]
    assert row[:6] == [group, topic, "0", "2", "3", "1"]
    assert group in run_tool(*admin, "--list").split()
    assert "Stable" in run_tool(*admin, "--describe", "--group", group, "--state")
    member.close()
    run_tool(*admin, "--reset-offsets", "--to-earliest", "--group", group, "--topic", topic, "--execute")
    again = consumer(broker.bootstrap, group)
    assert again.committed([TopicPartition(topic, 0)], 20)[0].offset == 0
    again.close()
    run_tool(*admin, "--delete", "--group", group)
    assert group not in run_tool(*admin, "--list").split()


@pytest.mark.kafka
def test_javas_consumer_joins_a_group_of_ours_and_reads_its_offsets_topic(
    broker: BrokerProcess, topic: str, group: str
) -> None:
    create_topic(broker.bootstrap, topic, 2)
    produce(broker.bootstrap, topic, ["a", "b", "c"])
    console = ("org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", broker.bootstrap)
    read = run_tool(*console, "--topic", topic, "--group", group, "--from-beginning", "--max-messages", "3")
    assert sorted(read.split()) == ["a", "b", "c"]
    formatter = "org.apache.kafka.tools.consumer.OffsetsMessageFormatter"
    shown = run_tool(
        *(*console, "--topic", "__consumer_offsets", "--formatter", formatter, "--from-beginning"),
        *("--timeout-ms", "5000"),
    )
    commits = [one for one in _json_objects(shown) if one["key"]["data"]["group"] == group]
    assert {one["key"]["data"]["topic"] for one in commits} == {topic}
    assert sum(one["value"]["data"]["offset"] for one in commits if one["value"]) >= 3


def _json_objects(text: str) -> Iterator[dict[str, Any]]:
    """The objects that stand one after the other, up to the tool's own last words."""
    position = 0
    while text.startswith("{", position):
        one, position = json.JSONDecoder().raw_decode(text, position)
        yield one
