"""Requests that confluent-kafka does not make, or whose answer it does not give in full, sent by kafka-python."""

from collections.abc import Mapping
from typing import Any

from headrace.tools.admin import ServerError
from headrace.tools.clients import settings

_NAMES = {
    "bootstrap.servers": "bootstrap_servers",
    "security.protocol": "security_protocol",
    "sasl.mechanism": "sasl_mechanism",
    "sasl.mechanisms": "sasl_mechanism",
    "sasl.username": "sasl_plain_username",
    "sasl.password": "sasl_plain_password",
    "ssl.ca.location": "ssl_cafile",
    "ssl.certificate.location": "ssl_certfile",
    "ssl.key.location": "ssl_keyfile",
    "ssl.key.password": "ssl_password",
}


class Requests:
    """A connection to a cluster that takes requests as the protocol has them."""

    def __init__(self, properties: Mapping[str, str]) -> None:
        from kafka.admin.client import KafkaAdminClient
        from kafka.errors import KafkaError

        given = settings(properties)
        configuration: dict[str, Any] = {ours: given[theirs] for theirs, ours in _NAMES.items() if theirs in given}
        if given.get("ssl.endpoint.identification.algorithm") == "none":
            configuration["ssl_check_hostname"] = False
        self._error = KafkaError
        try:
            self.client: Any = KafkaAdminClient(**configuration)
        except KafkaError as error:
            raise ServerError(f"Timed out waiting for a node assignment: {error}", -1) from None

    def send(self, request: Any, node: int | None = None) -> Any:
        """The answer to `request` of the broker `node`, or of any."""
        try:
            return self.client._manager.run(self._send, request, node)
        except self._error as error:
            raise ServerError(str(error), getattr(error, "errno", -1)) from None

    def coordinator(self, group: str) -> int:
        """The broker that keeps `group`."""
        try:
            return int(self.client._manager.run(self.client._find_coordinator_id, group))
        except self._error as error:
            raise ServerError(str(error), getattr(error, "errno", -1)) from None

    async def _send(self, request: Any, node: int | None) -> Any:
        return await self.client._manager.send(request, node_id=node)

    def close(self) -> None:
        self.client.close()
