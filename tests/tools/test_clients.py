"""From Java's client properties to librdkafka's."""

from pathlib import Path

import pytest

from headrace.config.addresses import VARIABLE
from headrace.tools.clients import check_bootstrap, make, properties_file, settings
from headrace.tools.command import Refusal

HERE = {"bootstrap.servers": "127.0.0.1:9092"}


def test_names_are_resolved_by_the_address_book(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "broker:29092=127.0.0.1:39092")
    assert check_bootstrap("broker:29092,localhost:9092") == "127.0.0.1:39092,localhost:9092"
    assert settings({"bootstrap.servers": "broker:29092"})["bootstrap.servers"] == "127.0.0.1:39092"


@pytest.mark.parametrize("servers", ["broker", "broker:", ":9092", "a:1,b", "a b:1", ""])
def test_what_is_no_list_of_addresses_is_refused(servers: str) -> None:
    with pytest.raises(Refusal, match="Please provide valid host:port like host1:9091,host2:9092"):
        check_bootstrap(servers)


def test_a_listener_name_and_an_ipv6_address_are_taken() -> None:
    assert check_bootstrap("PLAINTEXT://localhost:9092") == "localhost:9092"
    assert check_bootstrap("[::1]:9092") == "[::1]:9092"


def test_a_name_that_nobody_knows_is_refused_at_once() -> None:
    with pytest.raises(Refusal, match=r"No resolvable bootstrap urls .* no address is known for no-such-host.invalid"):
        settings({"bootstrap.servers": "no-such-host.invalid:9092"})


def test_a_jaas_line_gives_name_and_password() -> None:
    jaas = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="al" password="a\\"b;c";'
    given = settings(
        {**HERE, "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.jaas.config": jaas}
    )
    assert (given["sasl.username"], given["sasl.password"]) == ("al", 'a"b;c')
    assert "sasl.jaas.config" not in given


def test_pem_stores_are_named_as_librdkafka_names_them(tmp_path: Path) -> None:
    pem = tmp_path / "ca.pem"
    pem.write_text("-----BEGIN CERTIFICATE-----\n")
    given = settings(
        {
            **HERE,
            "ssl.truststore.location": str(pem),
            "ssl.truststore.type": "PEM",
            "ssl.keystore.location": str(pem),
            "ssl.endpoint.identification.algorithm": "",
        }
    )
    assert given["ssl.ca.location"] == given["ssl.key.location"] == given["ssl.certificate.location"] == str(pem)
    assert given["ssl.endpoint.identification.algorithm"] == "none"
    assert "ssl.truststore.type" not in given


def test_a_java_key_store_is_refused_with_what_would_do(tmp_path: Path) -> None:
    jks = tmp_path / "store.jks"
    jks.write_bytes(b"\xfe\xed\xfe\xed")
    with pytest.raises(Refusal, match=r"ssl\.truststore\.location=.*store\.jks is not a PEM file"):
        settings({**HERE, "ssl.truststore.location": str(jks)})


def test_a_key_that_the_client_does_not_know_is_told_and_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    from confluent_kafka import Producer

    assert make(Producer, {**settings(HERE), "nonsense": "1"}) is not None
    assert "The configuration 'nonsense' was supplied but is not used." in capsys.readouterr().err


def test_a_value_that_the_client_does_not_take_is_refused_with_its_key() -> None:
    from confluent_kafka import Producer

    with pytest.raises(Refusal, match=r"socket\.timeout\.ms"):
        make(Producer, {**settings(HERE), "socket.timeout.ms": "soon"})


def test_a_properties_file_that_is_not_there_is_named() -> None:
    assert properties_file(None) == {}
    with pytest.raises(Refusal, match=r"cannot read the properties file /nonexistent/client\.properties"):
        properties_file("/nonexistent/client.properties")
