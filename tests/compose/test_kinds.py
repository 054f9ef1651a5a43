"""What each image makes of its environment, and what it would refuse."""

import pytest

from headrace.compose import (
    BrokerSettings,
    ConnectSettings,
    ListenerSetting,
    Plan,
    PostgresSettings,
    RegistrySettings,
    Service,
    ServiceKind,
)
from headrace.compose.images import image_kind
from tests.compose.conftest import Folder, notes_of


def service(folder: Folder, image: str, environment: str, more: str = "") -> Service:
    """The one service of a file."""
    return plan(folder, image, environment, more).services[0]


def plan(folder: Folder, image: str, environment: str, more: str = "") -> Plan:
    return folder.read(text(image, environment, more))


def text(image: str, environment: str, more: str = "") -> str:
    lines = "".join(f"      {line}\n" for line in environment.splitlines())
    return f"services:\n  one:\n    image: {image}\n" + (f"    environment:\n{lines}" if lines else "") + more


def broker(folder: Folder, image: str, environment: str) -> BrokerSettings:
    settings = service(folder, image, environment).settings
    assert isinstance(settings, BrokerSettings)
    return settings


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        ("confluentinc/cp-zookeeper:7.3.0", ServiceKind.ZOOKEEPER),
        ("zookeeper", ServiceKind.ZOOKEEPER),
        ("docker.io/bitnami/zookeeper:3.8", ServiceKind.ZOOKEEPER),
        ("confluentinc/cp-kafka@sha256:0123", ServiceKind.BROKER),
        ("mirror.local:5000/confluentinc/cp-server:7.3.0", ServiceKind.BROKER),
        ("apache/kafka:4.0.0", ServiceKind.BROKER),
        ("localhost/apache/kafka-native", ServiceKind.BROKER),
        ("confluentinc/cp-schema-registry", ServiceKind.REGISTRY),
        ("confluentinc/cp-kafka-connect-base:7.3.0", ServiceKind.CONNECT),
        ("public.ecr.aws/docker/library/postgres:14-alpine", ServiceKind.POSTGRES),
        ("bitnami/kafka", ServiceKind.FOREIGN),
        ("kafka", ServiceKind.FOREIGN),
        ("bitnami/postgresql", ServiceKind.FOREIGN),
        ("grafana/grafana", ServiceKind.FOREIGN),
        ("", ServiceKind.FOREIGN),
    ],
)
def test_an_image_is_known_under_any_registry_tag_and_digest(image: str, kind: ServiceKind) -> None:
    assert image_kind(image) is kind


def test_listeners_are_those_of_the_file_and_controllers_are_left_out(folder: Folder) -> None:
    settings = broker(
        folder,
        "confluentinc/cp-kafka:7.6.0",
        """\
KAFKA_NODE_ID: 7
KAFKA_PROCESS_ROLES: broker,controller
KAFKA_CONTROLLER_QUORUM_VOTERS: 7@one:29093
KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER
KAFKA_LISTENERS: INSIDE://one:29092,CONTROLLER://one:29093,OUTSIDE://0.0.0.0:9094
KAFKA_ADVERTISED_LISTENERS: INSIDE://one:29092, OUTSIDE://localhost:9092
KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: CONTROLLER:PLAINTEXT,INSIDE:PLAINTEXT,OUTSIDE:SASL_SSL
KAFKA_INTER_BROKER_LISTENER_NAME: INSIDE
KAFKA_LOG_RETENTION_HOURS: 1
KAFKA_HEAP_OPTS: -Xmx1g
CLUSTER_ID: MkU3OEVBNTcwNTJENDM2Qk""",
    )
    assert settings.node_id == 7
    assert settings.listeners == (
        ListenerSetting("INSIDE", 29092, "one", 29092, "PLAINTEXT"),
        ListenerSetting("OUTSIDE", 9094, "localhost", 9092, "SASL_SSL"),
    )
    assert settings.properties == {"log.retention.hours": "1"}


def test_what_kraft_needs_is_named_as_not_needed(folder: Folder) -> None:
    notes = notes_of(
        plan(
            folder,
            "apache/kafka:4.0.0",
            "KAFKA_NODE_ID: 1\nKAFKA_PROCESS_ROLES: broker,controller\nKAFKA_CONTROLLER_LISTENER_NAMES: C\n"
            "KAFKA_LISTENERS: PLAINTEXT://:9092,C://:9093\nKAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"
            "CLUSTER_ID: x",
            '    ports: ["9092:9092"]\n',
        ),
        "one",
    )
    assert notes == [
        (
            "KAFKA_PROCESS_ROLES, KAFKA_CONTROLLER_LISTENER_NAMES: not needed: our broker is one node, and its own "
            "controller."
        ),
        "CLUSTER_ID: not needed: our broker makes one.",
    ]


def test_the_official_image_without_any_variable_has_its_own_listeners(folder: Folder) -> None:
    settings = broker(folder, "apache/kafka:4.0.0", "KAFKA_HEAP_OPTS: -Xmx1g")
    assert settings.listeners == (ListenerSetting("PLAINTEXT", 9092, "localhost", 9092, "PLAINTEXT"),)


def test_a_listener_without_a_host_is_told_under_the_services_name(folder: Folder) -> None:
    settings = broker(folder, "apache/kafka:4.0.0", "KAFKA_LISTENERS: PLAINTEXT://:9092")
    assert settings.listeners == (ListenerSetting("PLAINTEXT", 9092, "one", 9092, "PLAINTEXT"),)


ADVERTISED = "KAFKA_ADVERTISED_LISTENERS: "


@pytest.mark.parametrize(
    ("environment", "line", "words"),
    [
        (ADVERTISED + "PLAINTEXT:/one:9092", 5, "is no listener: write PLAINTEXT://one:9092."),
        (ADVERTISED + "PLAINTEXT//one:9092", 5, "is no listener: write PLAINTEXT://one:9092."),
        (ADVERTISED + "one:9092", 5, "is no listener: write"),
        (ADVERTISED + "PLAINTEXT://one", 5, "write NAME://HOST:PORT, as in PLAINTEXT://broker:29092."),
        (ADVERTISED + "PLAINTEXT://one:99999", 5, "is no listener"),
        (ADVERTISED + "PLAINTEXT://0.0.0.0:9092", 5, "no client can connect to 0.0.0.0"),
        (ADVERTISED + "PLAINTEXT://a:1,PLAINTEXT://b:2", 5, "PLAINTEXT is there twice"),
        (ADVERTISED + "PLAINTEXT://a:1,SSL://b:1", 5, "two listeners have port 1"),
        (ADVERTISED + "INSIDE://one:9092", 5, "add KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: INSIDE:PLAINTEXT"),
        (
            ADVERTISED + "INSIDE://one:9092\nKAFKA_LISTENER_SECURITY_PROTOCOL_MAP: OUT:PLAINTEXT",
            6,
            "has no protocol for INSIDE: add INSIDE:PLAINTEXT.",
        ),
        (
            ADVERTISED + "IN://one:9092\nKAFKA_LISTENER_SECURITY_PROTOCOL_MAP: IN:PLAINTXT",
            6,
            "PLAINTXT is no protocol; did you mean PLAINTEXT?",
        ),
        (
            ADVERTISED + "PLAINTEXT://one:9092\nKAFKA_INTER_BROKER_LISTENER_NAME: INSIDE",
            6,
            "INSIDE is not in KAFKA_ADVERTISED_LISTENERS: write one of PLAINTEXT.",
        ),
        (
            ADVERTISED + "SSL://one:9093\nKAFKA_LISTENERS: PLAINTEXT://:9092",
            5,
            "names SSL, which KAFKA_LISTENERS has not: add SSL://0.0.0.0:9093",
        ),
        (ADVERTISED + "PLAINTEXT://one:9092\nKAFKA_BROKER_ID: one", 6, "one is no broker's id: write a number"),
        ("KAFKA_BROKER_ID: 1", 4, "has no KAFKA_ADVERTISED_LISTENERS, without which its image does not start: add"),
    ],
)
def test_what_kafka_would_refuse_is_refused_with_its_line(
    folder: Folder, environment: str, line: int, words: str
) -> None:
    faults = folder.faults_of(text("confluentinc/cp-kafka", environment))
    assert any(fault.startswith(f"compose.yaml:{line}: ") and words in fault for fault in faults), faults


def test_a_listener_for_this_machine_whose_port_is_not_published_is_named(folder: Folder) -> None:
    notes = notes_of(plan(folder, "confluentinc/cp-kafka", ADVERTISED + "PLAINTEXT://localhost:9092"), "one")
    assert "PLAINTEXT is advertised as localhost:9092, and ports: does not publish 9092" in notes[-1]


def test_a_second_broker_of_a_cluster_is_refused_and_one_of_another_is_not(folder: Folder) -> None:
    environment = f"KAFKA_ZOOKEEPER_CONNECT: zoo:2181\n{ADVERTISED}PLAINTEXT://one:9092"
    one = text("confluentinc/cp-kafka", environment)
    two = one.replace("  one:", "  two:")
    (fault,) = folder.faults_of(f"{one}---\n{two}")
    assert fault.startswith(
        "compose.yaml:9: services.two is a second broker of the cluster of services.one, and Headrace"
    )
    assert len(folder.read(f"{one}---\n{two.replace('zoo:', 'zoo2:')}").services) == 2


def test_a_controller_alone_is_not_started(folder: Folder) -> None:
    found = plan(folder, "apache/kafka:4.0.0", "KAFKA_PROCESS_ROLES: controller\nKAFKA_LISTENERS: CONTROLLER://:9093")
    assert found.services[0].kind is ServiceKind.ZOOKEEPER
    assert notes_of(found, "one")[0].startswith("is not started: it is a controller alone")


def test_postgres_has_the_images_defaults(folder: Folder) -> None:
    settings = service(folder, "postgres", "POSTGRES_PASSWORD: x").settings
    assert settings == PostgresSettings("postgres", "x", "postgres", 5432, "latest", {})


def test_the_database_is_named_as_the_user_where_it_is_not_named(folder: Folder) -> None:
    settings = service(folder, "postgres:14.0", "POSTGRES_PASSWORD: x\nPOSTGRES_USER: me\nPGPORT: 5433").settings
    assert settings == PostgresSettings("me", "x", "me", 5433, "14.0", {})


def test_trust_needs_no_password(folder: Folder) -> None:
    settings = service(folder, "postgres", "POSTGRES_HOST_AUTH_METHOD: trust").settings
    assert isinstance(settings, PostgresSettings) and settings.password == ""


def test_parameters_of_the_command_are_read(folder: Folder) -> None:
    command = "    command: postgres -c wal_level=logical --max-connections=200 -p 5439\n"
    settings = service(folder, "postgres", "POSTGRES_PASSWORD: x", command).settings
    assert isinstance(settings, PostgresSettings)
    assert settings.parameters == {"wal_level": "logical", "max_connections": "200", "port": "5439"}
    assert settings.port == 5439


def test_scripts_for_a_new_database_are_found_in_their_order(folder: Folder) -> None:
    folder.write("init/b.sql", "select 1")
    folder.write("init/a.sh", "true")
    folder.write("more.sql", "select 2")
    volumes = (
        "    volumes:\n      - ./init:/docker-entrypoint-initdb.d:ro\n"
        "      - ./more.sql:/docker-entrypoint-initdb.d/aa.sql\n"
    )
    settings = service(folder, "postgres", "POSTGRES_PASSWORD: x", volumes).settings
    assert isinstance(settings, PostgresSettings)
    assert [path.name for path in settings.init_scripts] == ["a.sh", "more.sql", "b.sql"]


def test_a_password_may_be_a_secret(folder: Folder) -> None:
    folder.write("pw.txt", "hush\n")
    more = "    secrets: [pw]\nsecrets:\n  pw:\n    file: ./pw.txt\n"
    settings = service(folder, "postgres", "POSTGRES_PASSWORD_FILE: /run/secrets/pw", more).settings
    assert isinstance(settings, PostgresSettings) and settings.password == "hush"
    (fault,) = folder.faults_of(text("postgres", "POSTGRES_PASSWORD_FILE: /run/secrets/pw"))
    assert fault.startswith(
        "compose.yaml:5: POSTGRES_PASSWORD_FILE: nothing of this machine is mounted at /run/secrets"
    )


def test_a_registry_listens_where_its_listeners_say_and_protocols_of_bootstrap_servers_go(folder: Folder) -> None:
    environment = (
        "SCHEMA_REGISTRY_HOST_NAME: one\nSCHEMA_REGISTRY_LISTENERS: http://0.0.0.0:8085\n"
        "SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS: PLAINTEXT://a:1,PLAINTEXT://b:2"
    )
    settings = service(folder, "confluentinc/cp-schema-registry", environment).settings
    assert isinstance(settings, RegistrySettings)
    assert (settings.port, settings.bootstrap_servers) == (8085, "a:1,b:2")


@pytest.mark.parametrize(
    ("image", "environment", "words"),
    [
        ("confluentinc/cp-schema-registry", "A: b", "has no SCHEMA_REGISTRY_HOST_NAME"),
        ("confluentinc/cp-schema-registry", "A: b", "add SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS: broker:29092"),
        (
            "confluentinc/cp-schema-registry",
            "SCHEMA_REGISTRY_KAFKASTORE_CONNECTION_URL: zoo:2181",
            "there is no ZooKeeper to ask for the brokers",
        ),
        (
            "confluentinc/cp-schema-registry",
            "SCHEMA_REGISTRY_LISTENERS: one:8081",
            "one:8081 is no listener: write http",
        ),
        ("confluentinc/cp-kafka-connect", "CONNECT_GROUP_ID: g", "has no CONNECT_BOOTSTRAP_SERVERS"),
        ("confluentinc/cp-kafka-connect", "CONNECT_REST_PORT: http", "http is no port"),
        ("postgres", "POSTGRES_USER: x", "has no POSTGRES_PASSWORD"),
        ("postgres", "PGPORT: x", "x is no port"),
    ],
)
def test_what_an_image_would_not_start_with_is_refused(
    folder: Folder, image: str, environment: str, words: str
) -> None:
    assert any(words in fault for fault in folder.faults_of(text(image, environment)))


WORKER = """\
CONNECT_BOOTSTRAP_SERVERS: b:1
CONNECT_GROUP_ID: g
CONNECT_CONFIG_STORAGE_TOPIC: c
CONNECT_OFFSET_STORAGE_TOPIC: o
CONNECT_STATUS_STORAGE_TOPIC: s
CONNECT_KEY_CONVERTER: k
CONNECT_VALUE_CONVERTER: v
CONNECT_REST_ADVERTISED_HOST_NAME: one"""


def test_a_worker_that_installs_plugins_in_its_command_is_still_a_worker(folder: Folder) -> None:
    command = """\
    command:
      - bash
      - -c
      - |
        confluent-hub install --no-prompt confluentinc/kafka-connect-jdbc:10.7.4
        confluent-hub install --no-prompt confluentinc/kafka-connect-datagen:0.6.0
        /etc/confluent/docker/run &
        sleep infinity
"""
    found = service(folder, "confluentinc/cp-kafka-connect-base:7.3.0", f"{WORKER}\nCONNECT_REST_PORT: 8085", command)
    assert isinstance(found.settings, ConnectSettings)
    assert found.settings.rest_port == 8085
    assert [plugin.name for plugin in found.settings.plugins] == ["kafka-connect-jdbc", "kafka-connect-datagen"]


def test_a_tool_run_from_a_brokers_image_is_left_to_the_user(folder: Folder) -> None:
    found = plan(folder, "confluentinc/cp-kafka", "A: b", '    command: sh -c "kafka-topics --create"\n')
    assert found.services[0].kind is ServiceKind.FOREIGN
    assert found.services[0].command == ("sh", "-c", "kafka-topics --create")
    assert notes_of(found, "one")[0].startswith("runs a command of its own, not its image's server")


def test_bootstrap_servers_that_no_broker_has_are_named_with_what_was_meant(folder: Folder) -> None:
    brokers = text("confluentinc/cp-kafka", ADVERTISED + "PLAINTEXT://one:29092")
    worker = text("confluentinc/cp-kafka-connect", WORKER.replace("b:1", "one:9092")).replace("  one:", "  two:")
    notes = notes_of(folder.read(f"{brokers}---\n{worker}"), "two")
    assert notes == [
        "CONNECT_BOOTSTRAP_SERVERS: one:9092 is no listener of a broker in these files; did you mean one:29092?"
    ]
    assert notes_of(folder.read(f"{brokers}---\n{worker.replace('one:9092', 'one:29092')}"), "two") == []
    alone = notes_of(folder.read(worker), "two")
    assert alone == [
        "CONNECT_BOOTSTRAP_SERVERS: one:9092 is no broker of these files: it must be running when this starts."
    ]
