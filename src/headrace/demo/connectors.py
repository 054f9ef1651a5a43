"""The tutorial's two connector files, posted over REST, and what becomes of the connectors."""

import http.client
import json
import time
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

SOURCE_FILE: Final = "source_connector.json"
SINK_FILE: Final = "sink_connector.json"
TOPIC: Final = "postgres-source-iris_data"
POLL_INTERVAL_MS: Final = 100
TARGET_PASSWORD: Final = "targetpw"
TIMEOUT_S: Final = 30.0
RETRY_S: Final = 0.05
NO_ANSWER: Final = 0


class DemoFailed(RuntimeError):
    """The demo cannot go on; the text says why."""


def connector_file(name: str) -> dict[str, Any]:
    """One of the tutorial's files, as the tutorial prints it."""
    content: dict[str, Any] = json.loads(files("headrace.demo").joinpath(name).read_text(encoding="utf-8"))
    return content


def source_connector() -> dict[str, Any]:
    """The tutorial's source, but that it looks for new rows every 100 ms (the default is 5 s)."""
    content = connector_file(SOURCE_FILE)
    content["config"]["poll.interval.ms"] = POLL_INTERVAL_MS
    return content


def sink_connector() -> dict[str, Any]:
    """The tutorial's sink, but with the password that the tutorial gave the target server."""
    content = connector_file(SINK_FILE)
    content["config"]["connection.password"] = TARGET_PASSWORD
    return content


@dataclass(frozen=True, slots=True)
class Answer:
    """What REST answered: the status and the parsed body, None where it is not JSON."""

    status: int
    body: Any

    @property
    def message(self) -> str:
        return (
            str(self.body["message"])
            if isinstance(self.body, dict) and "message" in self.body
            else f"HTTP {self.status}"
        )


@dataclass(frozen=True, slots=True)
class ConnectClient:
    """The REST API of the worker on this machine. The standard library's client: httpx takes 0.2 s to import."""

    host: str
    port: int

    def post(self, connector: dict[str, Any]) -> None:
        """Create a connector, again while the worker says that it is rebalancing. Raises DemoFailed with its words.

        A worker may refuse after it has written, or answer too late: one that is there as it was posted is created.
        """
        deadline = time.monotonic() + TIMEOUT_S
        while (answer := self._try("POST", "/connectors", connector)).status != 201:
            if self._has(connector):
                return
            another = answer.status == 409 and "already exists" in answer.message
            if another or answer.status not in (NO_ANSWER, 409) or time.monotonic() > deadline:
                raise DemoFailed(f"the worker refused the connector {connector['name']}: {answer.message}")
            time.sleep(RETRY_S)

    def _has(self, connector: dict[str, Any]) -> bool:
        answer = self._try("GET", f"/connectors/{connector['name']}/config")
        posted = {key: _text(value) for key, value in connector["config"].items()}
        return answer.status == 200 and answer.body == {**posted, "name": connector["name"]}

    def is_running(self, name: str) -> bool:
        """Whether the connector and at least one task run, and no task does anything else.

        Raises DemoFailed with the first line of the trace where it failed.
        """
        answer = self.ask("GET", f"/connectors/{name}/status")
        if answer.status != 200:
            return False
        parts = [answer.body["connector"], *answer.body["tasks"]]
        for part in parts:
            if part["state"] == "FAILED":
                reason = (part.get("trace") or "it gave no reason").strip().splitlines()[0]
                raise DemoFailed(f"the connector {name} failed: {reason}")
        return len(parts) > 1 and all(part["state"] == "RUNNING" for part in parts)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        """One request. Raises DemoFailed where there is no answer."""
        answer = self._try(method, path, body)
        if answer.status == NO_ANSWER:
            raise DemoFailed(answer.message)
        return answer

    def _try(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        """One request; the status is NO_ANSWER where there is none."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_S)
        sent = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, sent, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return Answer(response.status, _parsed(response.read()))
        except (OSError, http.client.HTTPException) as error:
            return Answer(NO_ANSWER, {"message": f"the worker did not answer {method} {path}: {error}"})
        finally:
            connection.close()


def _text(value: Any) -> str:
    """A value of a config as the worker keeps it."""
    return value if isinstance(value, str) else json.dumps(value)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
