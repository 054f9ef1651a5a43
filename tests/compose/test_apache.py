"""Files in the shape of the examples that Apache Kafka ships for its own image: KRaft, one node and many."""

from headrace.compose import BrokerSettings, ListenerSetting, ServiceKind
from tests.compose.conftest import Folder, notes_of

ONE_NODE = """\
# A comment, then a document.

---
services:
  broker:
    image: ${IMAGE}
    hostname: broker
    container_name: broker
    ports:
      - '9092:9092'
    environment:
      KAFKA_NODE_ID: 1
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT'
      KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT_HOST://localhost:9092,PLAINTEXT://broker:19092'
      KAFKA_PROCESS_ROLES: 'broker,controller'
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@broker:29093'
      KAFKA_LISTENERS: 'CONTROLLER://:29093,PLAINTEXT_HOST://:9092,PLAINTEXT://:19092'
      KAFKA_INTER_BROKER_LISTENER_NAME: 'PLAINTEXT'
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER'
      CLUSTER_ID: '4L6g3nShT-eMCtK--X86sw'
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: 1
      KAFKA_LOG_DIRS: '/tmp/kraft-combined-logs'
"""

ISOLATED = """\
services:
  controller-1:
    image: apache/kafka:4.0.0
    environment:
      KAFKA_NODE_ID: 1
      KAFKA_PROCESS_ROLES: 'controller'
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@controller-1:9093'
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER'
      KAFKA_LISTENERS: 'CONTROLLER://:9093'
  kafka-1: &broker
    image: apache/kafka:4.0.0
    ports: [29092:9092]
    environment: &environment
      KAFKA_NODE_ID: 4
      KAFKA_PROCESS_ROLES: 'broker'
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@controller-1:9093'
      KAFKA_LISTENERS: 'PLAINTEXT://:19092,PLAINTEXT_HOST://:9092'
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT'
      KAFKA_INTER_BROKER_LISTENER_NAME: 'PLAINTEXT'
      KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://kafka-1:19092,PLAINTEXT_HOST://localhost:29092'
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER'
    depends_on: [controller-1]
"""

SECOND = """\
  kafka-2:
    <<: *broker
    ports: [39092:9092]
    environment:
      <<: *environment
      KAFKA_NODE_ID: 5
      KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://kafka-2:19092,PLAINTEXT_HOST://localhost:39092'
"""


def test_one_node_is_a_broker_with_the_listeners_that_clients_use(folder: Folder) -> None:
    plan = folder.read(ONE_NODE, {"IMAGE": "apache/kafka:4.0.0"})
    broker = plan.service("broker")
    assert broker.image == "apache/kafka:4.0.0"
    assert broker.settings == BrokerSettings(
        (
            ListenerSetting("PLAINTEXT_HOST", 9092, "localhost", 9092, "PLAINTEXT"),
            ListenerSetting("PLAINTEXT", 19092, "broker", 19092, "PLAINTEXT"),
        ),
        1,
        {"offsets.topic.replication.factor": "1"},
    )
    assert notes_of(plan, "broker")[-1] == "KAFKA_LOG_DIRS: not needed: it has a folder of the project's."


def test_an_image_that_nobody_set_is_a_fault_that_names_the_variable(folder: Folder) -> None:
    (fault,) = folder.faults_of(ONE_NODE)
    assert fault.startswith("compose.yaml:6: services.broker has an empty image:")
    assert "The variable IMAGE has no value" in fault


def test_a_mounted_configuration_counts_below_the_variables(folder: Folder) -> None:
    folder.write(
        "config/server.properties",
        "advertised.listeners=PLAINTEXT_HOST://localhost:9092,PLAINTEXT://broker:19092\n"
        "controller.listener.names=CONTROLLER\ninter.broker.listener.name=PLAINTEXT\nnode.id=7\n"
        "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT\n"
        "log.retention.hours=2\n",
    )
    settings = (
        folder.read(
            """\
services:
  broker:
    image: apache/kafka
    ports: ["9092:9092"]
    volumes: ["./config:/mnt/shared/config"]
    environment:
      KAFKA_NODE_ID: 1
      KAFKA_LISTENERS: 'PLAINTEXT_HOST://:9092,CONTROLLER://:29093,PLAINTEXT://:19092'
"""
        )
        .services[0]
        .settings
    )
    assert isinstance(settings, BrokerSettings)
    assert settings.node_id == 1
    assert [(one.name, one.bind_port) for one in settings.listeners] == [("PLAINTEXT_HOST", 9092), ("PLAINTEXT", 19092)]
    assert settings.properties == {"log.retention.hours": "2"}


def test_a_controller_apart_is_left_and_its_one_broker_runs(folder: Folder) -> None:
    plan = folder.read(ISOLATED)
    kinds = [(service.name, service.kind) for service in plan.services]
    assert kinds == [("controller-1", ServiceKind.ZOOKEEPER), ("kafka-1", ServiceKind.BROKER)]


def test_a_cluster_of_brokers_is_refused_with_what_would_do(folder: Folder) -> None:
    (fault,) = folder.faults_of(ISOLATED + SECOND)
    assert fault == (
        "compose.yaml:23: services.kafka-2 is a second broker of the cluster of services.kafka-1, and Headrace "
        "runs one: remove it and set replication factors to 1, or use Apache Kafka where copies are needed."
    )
