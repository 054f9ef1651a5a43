"""Settings of our own connection: librdkafka's, as `client_settings.translate` gives them, for the network layer.

Not all that librdkafka understands can be said here; `not_expressible` names what cannot, and the caller then stays
with librdkafka.
"""

from collections.abc import Mapping
from typing import Any, Final

from headrace.config import ConfigError

_NAMES: Final = {
    "security.protocol": "security_protocol",
    "sasl.mechanism": "sasl_mechanism",
    "sasl.username": "sasl_plain_username",
    "sasl.password": "sasl_plain_password",
    "ssl.ca.location": "ssl_cafile",
    "ssl.certificate.location": "ssl_certfile",
    "ssl.key.location": "ssl_keyfile",
    "ssl.key.password": "ssl_password",
}
_NUMBERS: Final = {
    "reconnect.backoff.ms": "reconnect_backoff_ms",
    "reconnect.backoff.max.ms": "reconnect_backoff_max_ms",
    "socket.connection.setup.timeout.ms": "socket_connection_setup_timeout_ms",
    "connections.max.idle.ms": "connections_max_idle_ms",
    "metadata.max.age.ms": "metadata_max_age_ms",
}
_MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_SECURITY: Final = ("ssl.", "sasl.", "security.")


def network_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The network layer's names for what it understands of librdkafka's settings; the rest is left out.

    Raises ConfigError for a key store that it cannot read.
    """
    if "ssl.keystore.location" in settings:
        raise ConfigError(
            f"ssl.keystore.location={settings['ssl.keystore.location']}: the worker's group client reads PEM key "
            "stores only; convert it with `openssl pkcs12 -in FILE -nodes -out key.pem` and set ssl.keystore.type=PEM"
        )
    found = {ours: settings[theirs] for theirs, ours in _NAMES.items() if theirs in settings}
    if "security_protocol" in found:
        found["security_protocol"] = found["security_protocol"].upper()
    found |= {ours: int(settings[theirs]) for theirs, ours in _NUMBERS.items() if theirs in settings}
    if settings.get("ssl.endpoint.identification.algorithm") == "none":
        found["ssl_check_hostname"] = False
    return found


def not_expressible(settings: Mapping[str, Any]) -> str | None:
    """The first of librdkafka's security settings that our own connection has no counterpart for, None without one.

    >>> not_expressible({"bootstrap.servers": "h:9092", "ssl.keystore.location": "key.p12"})
    'ssl.keystore.location'
    """
    mechanism = settings.get("sasl.mechanism")
    if mechanism is not None and mechanism not in _MECHANISMS:
        return "sasl.mechanism"
    known = {*_NAMES, "ssl.endpoint.identification.algorithm"}
    return next((key for key in settings if key.startswith(_SECURITY) and key not in known), None)
