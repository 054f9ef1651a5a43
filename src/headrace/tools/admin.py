"""An admin client for the tools: waits for the answers, and turns their errors into the brokers' own sentences."""

import sys
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from headrace.tools.clients import make, settings

Result = TypeVar("Result")

TIMEOUT_S = 60.0


class ServerError(Exception):
    """What the cluster answered, in its own words; `code` is Kafka's error code, negative where no broker answered."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


def admin_client(properties: Mapping[str, str]) -> Any:
    """An AdminClient of confluent-kafka."""
    from confluent_kafka.admin import AdminClient

    told: set[str] = set()

    def complain(error: Any) -> None:
        """One line for each thing that goes wrong with a connection, as Java's clients log it."""
        if error.str() not in told:
            told.add(error.str())
            print(f"WARN {error.str()}", file=sys.stderr)

    return make(AdminClient, {**settings(properties), "client.id": "adminclient-1", "error_cb": complain})


def answer(future: "Future[Result]") -> Result:
    """What `future` comes to. Raises ServerError with the broker's words."""
    from confluent_kafka import KafkaException

    try:
        return future.result(TIMEOUT_S)
    except KafkaException as error:
        raise ServerError(error.args[0].str(), error.args[0].code()) from None


def cluster_metadata(admin: Any, topic: str | None = None) -> Any:
    """The brokers and topics of the cluster. Raises ServerError where no broker answers in time."""
    from confluent_kafka import KafkaException

    try:
        return admin.list_topics(topic, timeout=TIMEOUT_S) if topic else admin.list_topics(timeout=TIMEOUT_S)
    except KafkaException as error:
        code = error.args[0].code()
        if code < 0:
            raise ServerError("Timed out waiting for a node assignment. Call: listTopics", code) from None
        raise ServerError(error.args[0].str(), code) from None
