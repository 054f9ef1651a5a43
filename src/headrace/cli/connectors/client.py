"""WorkerClient: a Connect worker's REST interface, with sentences for what goes wrong.

Works with Java's workers too, but for the log, which is a path of Headrace's own.
"""

from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx

from headrace.config import ConfigError, address

DEFAULT_URL: Final = "http://localhost:8083"
TIMEOUT_S: Final = 95.0
"""A worker answers within 90 s, with an error where it has no answer."""


class WorkerError(Exception):
    """What a person reads, the fix included."""


class UnknownConnector(WorkerError):
    """The worker has no connector of this name."""


class WorkerClient:
    """Requests to one worker. Every method raises WorkerError."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._base = _resolved(url).rstrip("/")

    def get(self, *path: str, **query: str) -> Any:
        return self.ask("GET", *path, **query)

    def ask(self, method: str, *path: str, body: Any = None, **query: str) -> Any:
        """The JSON of the answer, None where it has no body. `path` are the parts between the slashes."""
        url = "/".join([self._base, *(quote(part, safe="") for part in path)])
        try:
            # The environment's proxies are for the world outside; a worker is next door.
            answer = httpx.request(method, url, json=body, params=query, timeout=TIMEOUT_S, trust_env=False)
        except httpx.TimeoutException as error:
            raise WorkerError(f"The worker at {self.url} did not answer within {TIMEOUT_S:g} s; see its log") from error
        except httpx.HTTPError as error:
            raise WorkerError(
                f"No Connect worker answers at {self.url} ({error}). Start one with `headrace up`, or name the one "
                "that runs by --url or CONNECT_URL"
            ) from error
        return self._content(answer)

    def _content(self, answer: httpx.Response) -> Any:
        if not answer.content:
            return None
        try:
            content = answer.json()
        except ValueError as error:
            raise self._no_worker() from error
        if answer.is_success:
            return content
        if not isinstance(content, dict) or "message" not in content:
            raise self._no_worker()
        kind = UnknownConnector if answer.status_code == httpx.codes.NOT_FOUND else WorkerError
        raise kind(str(content["message"]))

    def _no_worker(self) -> WorkerError:
        return WorkerError(f"What answers at {self.url} is no Connect worker; name one by --url or CONNECT_URL")

    def names(self) -> list[str]:
        return sorted(self.get("connectors"))


def _resolved(url: str) -> str:
    """The URL with host and port as the address book has them. Raises WorkerError where it is none."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host, at = address(parts.hostname, port)
    except ConfigError as error:
        raise WorkerError(str(error)) from error
    except ValueError as error:
        raise WorkerError(f"--url {url}: write it as http://host:port") from error
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}:{at}{parts.path}"
