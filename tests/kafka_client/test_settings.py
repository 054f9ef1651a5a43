"""Java's client settings become librdkafka's; librdkafka itself says whether they are its own."""

import logging
from collections.abc import Mapping
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient

from headrace.config import AddressBook, ConfigError
from headrace.kafka_client import settings as client_settings
from headrace.kafka_client.settings import Kind, java_settings, translate

PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="bob" password="p=w;d";'

# Every key of the table with a value that Java takes.
SAMPLES: dict[Kind, Mapping[str, str]] = {
    "producer": {
        "linger.ms": "20", "batch.size": "16384", "compression.type": "lz4", "buffer.memory": "33554432",
        "max.request.size": "2000000", "max.in.flight.requests.per.connection": "5", "request.timeout.ms": "30000",
        "compression.gzip.level": "3", "compression.lz4.level": "3", "compression.zstd.level": "3",
    },
    "consumer": {
        "group.id": "g", "group.instance.id": "i", "group.protocol": "classic", "session.timeout.ms": "45000",
        "heartbeat.interval.ms": "3000", "max.poll.interval.ms": "300000", "request.timeout.ms": "30000",
        "auto.offset.reset": "none", "isolation.level": "read_committed", "check.crcs": "true",
        "allow.auto.create.topics": "false", "fetch.min.bytes": "1", "fetch.max.bytes": "52428800",
        "fetch.max.wait.ms": "500", "max.partition.fetch.bytes": "1048576", "max.poll.records": "10",
        "partition.assignment.strategy": "org.apache.kafka.clients.consumer.RangeAssignor,"
        "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
    },
    "admin": {"request.timeout.ms": "30000"},
}  # fmt: skip
COMMON = {
    "bootstrap.servers": "localhost:1", "client.id": "c", "client.rack": "r", "client.dns.lookup": "use_all_dns_ips",
    "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.jaas.config": PLAIN,
    "sasl.kerberos.service.name": "kafka", "ssl.key.password": "x", "ssl.keystore.password": "x",
    "ssl.endpoint.identification.algorithm": "", "retry.backoff.ms": "100", "retry.backoff.max.ms": "1000",
    "reconnect.backoff.ms": "50", "reconnect.backoff.max.ms": "1000", "connections.max.idle.ms": "540000",
    "socket.connection.setup.timeout.ms": "10000", "metadata.max.age.ms": "300000",
    "metadata.recovery.strategy": "rebootstrap", "send.buffer.bytes": "131072", "receive.buffer.bytes": "65536",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _warnings_are_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_settings, "_warned", set())


@pytest.mark.parametrize("kind", ["producer", "consumer", "admin"])
def test_librdkafka_takes_every_translated_setting(kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    settings = translate(kind, {**COMMON, **SAMPLES[kind]}, AddressBook())
    settings.pop("group.instance.id", None)
    make: Any = {"producer": Producer, "consumer": Consumer, "admin": AdminClient}[kind]
    client = make({**settings, "log_level": 0})
    if kind == "consumer":
        client.close()
    assert not caplog.records


def test_jaas_gives_user_and_password() -> None:
    settings = translate("producer", {"sasl.jaas.config": PLAIN}, AddressBook())
    assert (settings["sasl.username"], settings["sasl.password"]) == ("bob", "p=w;d")


def test_another_login_module_is_refused_with_what_would_do() -> None:
    with pytest.raises(ConfigError, match="only PlainLoginModule and ScramLoginModule"):
        translate(
            "producer", {"sasl.jaas.config": "com.sun.security.auth.module.Krb5LoginModule required;"}, AddressBook()
        )


def test_a_key_without_counterpart_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            translate("producer", {"interceptor.classes": "x"}, AddressBook())
    assert [record.getMessage() for record in caplog.records] == [
        "The producer setting interceptor.classes has no counterpart in librdkafka and is not used"
    ]


def test_what_would_lose_records_is_not_taken(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert translate("producer", {"acks": "0", "enable.idempotence": "false"}, AddressBook()) == {}
    assert "acks" in caplog.text and "enable.idempotence" in caplog.text


def test_bootstrap_servers_go_through_the_address_book() -> None:
    book = AddressBook.parse("broker:29092=127.0.0.1:9092")
    assert translate("admin", {"bootstrap.servers": "broker:29092,other:1"}, book) == {
        "bootstrap.servers": "127.0.0.1:9092,other:1"
    }


def test_a_connectors_override_wins_over_the_workers_prefix() -> None:
    worker = {"bootstrap.servers": "b:1", "producer.linger.ms": "1", "producer.batch.size": "2", "consumer.x": "y"}
    connector = {"producer.override.linger.ms": "9", "consumer.override.fetch.min.bytes": "5"}
    assert java_settings("producer", worker, connector) == {
        "bootstrap.servers": "b:1",
        "linger.ms": "9",
        "batch.size": "2",
    }


@pytest.mark.parametrize(
    ("java", "wanted"),
    [
        ({"ssl.truststore.location": "/ca.pem"}, {"ssl.ca.location": "/ca.pem"}),
        ({"ssl.truststore.location": "/ca", "ssl.truststore.type": "PEM"}, {"ssl.ca.location": "/ca"}),
        ({"ssl.keystore.location": "/key.p12"}, {"ssl.keystore.location": "/key.p12"}),
        ({"ssl.keystore.location": "/k.pem"}, {"ssl.certificate.location": "/k.pem", "ssl.key.location": "/k.pem"}),
    ],
)
def test_stores_in_pem_and_pkcs12_are_taken(java: dict[str, str], wanted: dict[str, str]) -> None:
    assert translate("consumer", java, AddressBook()) == wanted


@pytest.mark.parametrize("key", ["ssl.truststore.location", "ssl.keystore.location"])
def test_a_java_key_store_is_refused_with_the_command_that_converts_it(key: str) -> None:
    with pytest.raises(ConfigError, match="keytool"):
        translate("consumer", {key: "/store.jks"}, AddressBook())
