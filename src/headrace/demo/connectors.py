"""The tutorial's two connector files, posted over REST, and what becomes of the connectors."""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import httpx

SOURCE_FILE: Final = "source_connector.json"
SINK_FILE: Final = "sink_connector.json"
TOPIC: Final = "postgres-source-iris_data"
POLL_INTERVAL_MS: Final = 100
TARGET_PASSWORD: Final = "targetpw"


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


@dataclass(slots=True)
class ConnectClient:
    """The REST API of the worker at `url`."""

    client: httpx.Client

    @classmethod
    def at(cls, url: str) -> "ConnectClient":
        return cls(httpx.Client(base_url=url, timeout=30.0, trust_env=False))

    def close(self) -> None:
        self.client.close()

    def post(self, connector: dict[str, Any]) -> None:
        """Create a connector. Raises DemoFailed with the worker's words."""
        answer = self._request("POST", "/connectors", connector)
        if answer.status_code != 201:
            raise DemoFailed(f"the worker refused the connector {connector['name']}: {_message(answer)}")

    def is_running(self, name: str) -> bool:
        """Whether the connector and at least one task run, and no task does anything else.

        Raises DemoFailed with the first line of the trace where it failed.
        """
        answer = self._request("GET", f"/connectors/{name}/status")
        if answer.status_code != 200:
            return False
        status = answer.json()
        parts = [status["connector"], *status["tasks"]]
        for part in parts:
            if part["state"] == "FAILED":
                reason = (part.get("trace") or "it gave no reason").strip().splitlines()[0]
                raise DemoFailed(f"the connector {name} failed: {reason}")
        return len(parts) > 1 and all(part["state"] == "RUNNING" for part in parts)

    def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        try:
            return self.client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise DemoFailed(f"the worker did not answer {method} {path}: {error}") from error


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code}"
