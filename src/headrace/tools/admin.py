"""An admin client for the tools: waits for the answers, and turns their errors into the brokers' own sentences."""

import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, TimeoutError
from typing import Any, TypeVar

from headrace.tools.clients import make, settings
from headrace.tools.java_errors import exception

Result = TypeVar("Result")

_TIMEOUT_MS = 60_000
_LOOK_S = 0.5
# librdkafka's own, where the topic has no such partition; the second where no partition of the question is one.
UNKNOWN_PARTITION = (-190, -156)


class ServerError(Exception):
    """What the cluster answered, in its own words; `code` is Kafka's error code, negative where no broker answered."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code

    def as_java(self) -> str:
        """Class and sentence, as Java prints it; a sentence of the broker's own stays."""
        name = exception(self.code, "").partition(": ")[0]
        return f"{name}: {self}" if self.own else exception(self.code, str(self))

    @property
    def own(self) -> bool:
        """Whether the text is more than the client's name of the code."""
        return str(self).endswith((".", "!"))


class Admin:
    """An AdminClient of confluent-kafka whose calls end by `default.api.timeout.ms`."""

    def __init__(self, properties: Mapping[str, str], servers: str) -> None:
        from confluent_kafka.admin import AdminClient

        self.properties = {**properties, "bootstrap.servers": servers}
        configuration = settings(self.properties)
        self.client: Any = make(AdminClient, {**configuration, "error_cb": complain_once()})
        self._timeout_s = int(properties.get("default.api.timeout.ms", _TIMEOUT_MS)) / 1000

    def wait(self, call: str, future: "Future[Result]") -> Result:
        """What `future` comes to. Raises ServerError with the broker's words; `call` is Kafka's name of it."""
        from confluent_kafka import KafkaException

        deadline = time.monotonic() + self._timeout_s
        while True:
            try:
                return future.result(_LOOK_S)
            except KafkaException as error:
                raise _said(error.args[0], call) from None
            except TimeoutError:
                self.client.poll(0)
                if time.monotonic() > deadline:
                    raise _no_answer(call) from None

    def metadata(self) -> Any:
        """The brokers and topics of the cluster. Raises ServerError where no broker answers in time."""
        from confluent_kafka import KafkaException

        deadline = time.monotonic() + self._timeout_s
        while True:
            try:
                return self.client.list_topics(timeout=_LOOK_S)
            except KafkaException as error:
                self.client.poll(0)
                if error.args[0].code() >= 0 or time.monotonic() > deadline:
                    raise _said(error.args[0], "listTopics") from None


def complain_once() -> Callable[[Any], None]:
    """A callback for a client's errors: a line on standard error for each that was not told yet."""
    told: set[str] = set()

    def complain(error: Any) -> None:
        text = error.str().split(" (after ")[0]
        if text not in told:
            told.add(text)
            print(f"WARN {text}", file=sys.stderr, flush=True)

    return complain


def _said(error: Any, call: str) -> ServerError:
    if error.code() in UNKNOWN_PARTITION:
        return ServerError(error.str(), error.code())
    return _no_answer(call) if error.code() < 0 else ServerError(error.str().removeprefix("Broker: "), error.code())


def _no_answer(call: str) -> ServerError:
    return ServerError(f"Timed out waiting for a node assignment. Call: {call}", -1)
