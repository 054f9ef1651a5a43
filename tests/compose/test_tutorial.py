"""The course's files: as printed, each fault with its line and fix; mended, the plan of them."""

import pytest

from headrace.compose import (
    BrokerSettings,
    ConnectSettings,
    ListenerSetting,
    PostgresSettings,
    PublishedPort,
    RegistrySettings,
    ServiceKind,
)
from tests.compose import tutorial
from tests.compose.conftest import Folder, notes_of

NAIVE = "naive-docker-compose.yaml"
KAFKA = "kafka-docker-compose.yaml"


def test_port_for_ports_is_refused_with_its_line_and_the_key_that_was_meant(folder: Folder) -> None:
    folder.write(NAIVE, tutorial.ZOOKEEPER)
    assert folder.faults(NAIVE) == [
        f"{NAIVE}:7: port: is no key in services.zookeeper; did you mean ports? Correct or remove it."
    ]


def test_every_fault_of_the_printed_file_is_told_at_once(folder: Folder) -> None:
    folder.write(KAFKA, tutorial.ZOOKEEPER_AND_BROKER)
    assert folder.faults(KAFKA) == [
        (
            f"{KAFKA}:19: services.broker.ports: -9092:9092 has no blank after its dash, so it is no list: "
            "write `- 9092:9092`."
        ),
        (
            f"{KAFKA}:23: KAFKA_ADVERTISED_LISTENERS: PLAINTEXT:://broker:29092 has one colon too many: "
            "write PLAINTEXT://broker:29092."
        ),
    ]


@pytest.mark.parametrize(
    ("text", "line", "service", "missing"),
    [
        (tutorial.BROKER, 7, "broker", "zookeeper"),
        (tutorial.REGISTRY, 8, "schema-registry", "broker"),
    ],
)
def test_a_fragment_alone_names_the_service_that_it_waits_for(
    folder: Folder, text: str, line: int, service: str, missing: str
) -> None:
    folder.write(KAFKA, text)
    assert folder.faults(KAFKA) == [
        (
            f"{KAFKA}:{line}: services.{service} depends on {missing}, which is no service of these files: "
            "add it, name its file with one more -f, or remove it."
        )
    ]


def test_a_missing_dockerfile_is_named(folder: Folder) -> None:
    folder.write(KAFKA, tutorial.CONNECT)
    fault = folder.faults(KAFKA)[0]
    assert fault.startswith(f"{KAFKA}:7: There is no Dockerfile of services.connect {folder.path}/connect.Dockerfile: ")


def test_the_first_lesson_starts_one_broker(folder: Folder) -> None:
    folder.write(NAIVE, tutorial.ZOOKEEPER_MENDED + tutorial.BROKER)
    plan = folder.plan(NAIVE, project="part7-naive")
    assert plan.name == "part7-naive"
    assert [(service.name, service.kind) for service in plan.services] == [
        ("zookeeper", ServiceKind.ZOOKEEPER),
        ("broker", ServiceKind.BROKER),
    ]
    broker = plan.service("broker")
    assert broker.settings == BrokerSettings(
        (
            ListenerSetting("PLAINTEXT", 29092, "broker", 29092, "PLAINTEXT"),
            ListenerSetting("PLAINTEXT_HOST", 9092, "localhost", 9092, "PLAINTEXT"),
        ),
        1,
        {"offsets.topic.replication.factor": "1", "group.initial.rebalance.delay.ms": "0"},
    )
    assert broker.ports == (PublishedPort("", 9092, 9092),)
    assert broker.properties["zookeeper.connect"] == "zookeeper:2181"


def test_what_zookeeper_is_not_needed_for_is_said(folder: Folder) -> None:
    folder.write(NAIVE, tutorial.ZOOKEEPER_MENDED)
    (note,) = notes_of(folder.plan(NAIVE), "zookeeper")
    assert note.startswith("is not started: ZooKeeper keeps a Kafka cluster's metadata and elects its leaders")


def test_the_second_lesson_starts_broker_registry_and_worker(folder: Folder) -> None:
    """All fragments pasted into one file, `version:` and `services:` of each with them."""
    folder.write(KAFKA, tutorial.ZOOKEEPER_AND_BROKER_MENDED + tutorial.REGISTRY + tutorial.CONNECT)
    folder.write("connect.Dockerfile", tutorial.DOCKERFILE)
    plan = folder.plan(KAFKA, project="part7-kafka")
    assert [service.image for service in plan.services] == [
        "confluentinc/cp-zookeeper:7.3.0",
        "confluentinc/cp-kafka:7.3.0",
        "confluentinc/cp-schema-registry:7.3.0",
        "part7-kafka-connect",
    ]
    registry = plan.service("schema-registry").settings
    assert isinstance(registry, RegistrySettings)
    assert (registry.port, registry.bootstrap_servers) == (8081, "broker:29092")
    assert registry.properties["host.name"] == "schema-registry"
    connect = plan.service("connect")
    assert connect.depends_on == ("broker", "schema-registry")
    assert isinstance(connect.settings, ConnectSettings)
    assert connect.settings.rest_port == 8083
    properties = connect.settings.properties
    assert properties["config.storage.topic"] == "docker-connect-configs"
    assert properties["value.converter.schema.registry.url"] == "http://schema-registry:8081"
    assert properties["plugin.path"] == "/usr/share/java,/usr/share/confluent-hub-components"


def test_the_fragments_as_files_of_their_own_are_merged(folder: Folder) -> None:
    folder.write("a.yaml", tutorial.ZOOKEEPER_AND_BROKER_MENDED)
    folder.write("b.yaml", tutorial.REGISTRY)
    folder.write("c.yaml", tutorial.CONNECT)
    folder.write("connect.Dockerfile", tutorial.DOCKERFILE)
    names = [service.name for service in folder.plan("a.yaml", "b.yaml", "c.yaml").services]
    assert names == ["zookeeper", "broker", "schema-registry", "connect"]


def test_plugins_that_the_dockerfile_installs_are_matched_or_named(folder: Folder) -> None:
    folder.write(KAFKA, tutorial.ZOOKEEPER_AND_BROKER_MENDED + tutorial.REGISTRY + tutorial.CONNECT)
    folder.write("connect.Dockerfile", tutorial.DOCKERFILE)
    plan = folder.plan(KAFKA)
    settings = plan.service("connect").settings
    assert isinstance(settings, ConnectSettings)
    snowflake, jdbc, schemas = settings.plugins
    assert (snowflake.name, snowflake.version, snowflake.ours) == ("snowflake-kafka-connector", "1.5.5", "")
    assert "io.confluent.connect.jdbc.JdbcSourceConnector" in jdbc.ours
    assert schemas.name == "kafka-connect-json-schema-converter"
    notes = notes_of(plan, "connect")
    assert "snowflake-kafka-connector 1.5.5: we have no such plug-in; " in notes[0]
    assert notes[1] == "kafka-connect-jdbc 10.2.2: ours stands in for it (JdbcSourceConnector, JdbcSinkConnector)."


def test_the_target_database_is_ours_and_the_table_creator_is_left_to_the_user(folder: Folder) -> None:
    folder.write("target.yaml", tutorial.TARGET)
    folder.write("Dockerfile", 'FROM python:3.9\nCOPY . .\nCMD ["python", "table_creator.py"]\n')
    plan = folder.plan("target.yaml")
    target = plan.service("target-postgres-server")
    assert target.settings == PostgresSettings("targetuser", "targetpw", "targetdatabase", 5432, "14.0", {})
    assert target.ports == (PublishedPort("", 5433, 5432),)
    creator = plan.service("table-creator")
    assert (creator.kind, creator.command) == (ServiceKind.FOREIGN, ("python", "table_creator.py"))
    assert notes_of(plan, "table-creator") == ["is a program of yours, which is built: start it yourself."]


def test_no_password_shows_in_what_is_printed_of_a_plan(folder: Folder) -> None:
    folder.write("target.yaml", tutorial.TARGET)
    folder.write("Dockerfile", "FROM python:3.9\n")
    assert "targetpw" not in repr(folder.plan("target.yaml"))
