import pytest

from headrace.config import ConfigError
from headrace.connect.client.network import network_settings, not_expressible
from headrace.kafka_client.settings import translate

JAAS = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p";'


def test_settings_of_sasl_over_tls_are_translated():
    java = {
        "bootstrap.servers": "h:9093",
        "security.protocol": "sasl_ssl",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.jaas.config": JAAS,
        "ssl.truststore.location": "ca.pem",
        "ssl.keystore.location": "key.pem",
        "ssl.endpoint.identification.algorithm": "",
        "reconnect.backoff.ms": "20",
    }
    settings = translate("producer", java)
    assert not_expressible(settings) is None
    assert network_settings(settings) == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "u",
        "sasl_plain_password": "p",
        "ssl_cafile": "ca.pem",
        "ssl_certfile": "key.pem",
        "ssl_keyfile": "key.pem",
        "ssl_check_hostname": False,
        "reconnect_backoff_ms": 20,
    }


@pytest.mark.parametrize(
    ("java", "named"),
    [
        ({"ssl.keystore.location": "key.p12"}, "ssl.keystore.location"),
        ({"ssl.truststore.certificates": "-----BEGIN"}, "ssl.ca.pem"),
        ({"ssl.cipher.suites": "X"}, "ssl.cipher.suites"),
        ({"sasl.mechanism": "GSSAPI"}, "sasl.mechanism"),
        ({"sasl.mechanism": "OAUTHBEARER"}, "sasl.mechanism"),
        ({"sasl.kerberos.service.name": "kafka"}, "sasl.kerberos.service.name"),
    ],
)
def test_what_only_librdkafka_understands_is_named(java: dict[str, str], named: str):
    assert not_expressible(translate("consumer", java)) == named


def test_a_pkcs12_key_store_is_refused_with_the_way_out():
    with pytest.raises(ConfigError, match="openssl pkcs12"):
        network_settings({"ssl.keystore.location": "key.p12"})
