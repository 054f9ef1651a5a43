"""HTTP to one of several registries, by the standard library: other addresses, more tries.

One thread a transport. Answers are remembered by the client, so a connection is made for each question. A registry that
does not answer, or answers that it cannot now, is passed over for the next address; after the last one there is a wait
that grows.
"""

import http.client
import json
import random
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from headrace.connect.api import RetriableError, address
from headrace.connect.converters.registry.settings import RegistrySettings, without_login

CONTENT_TYPE: Final = "application/vnd.schemaregistry.v1+json"
_PASSING: Final = frozenset((408, 429, 500, 502, 503, 504))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a registry said: the HTTP status and the parsed body, None where it is no JSON; `url` for errors."""

    status: int
    body: Any
    url: str

    @property
    def code(self) -> int:
        """The registry's own error code; 0 where there is none."""
        found = self.body.get("error_code") if isinstance(self.body, dict) else None
        return found if isinstance(found, int) else 0

    @property
    def message(self) -> str:
        found = self.body.get("message") if isinstance(self.body, dict) else None
        return str(found) if found else f"HTTP {self.status} without a reason"


class _Connection(http.client.HTTPConnection):
    """Connects where the address book says; the Host header, and the name in the certificate, are the user's."""

    def __init__(self, url: SplitResult, settings: RegistrySettings, tls: ssl.SSLContext | None) -> None:
        super().__init__(url.hostname or "", url.port or (443 if tls else 80))
        self.default_port = 443 if tls else 80
        self._connect_s = settings["http.connect.timeout.ms"] / 1000
        self._read_s = settings["http.read.timeout.ms"] / 1000
        self._tls = tls

    def connect(self) -> None:
        plain = socket.create_connection(address(self.host, self.port), self._connect_s)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host) if self._tls else plain
        self.sock.settimeout(self._read_s)


class _Registry:
    """One address."""

    def __init__(self, url: str, settings: RegistrySettings) -> None:
        self._url = urlsplit(url)
        self._settings = settings
        self._tls = settings.tls() if self._url.scheme == "https" else None
        self.shown = without_login(url).rstrip("/")
        self._headers = {"Accept": f"{CONTENT_TYPE}, application/json", "Content-Type": CONTENT_TYPE}
        self._headers["Connection"] = "close"
        authorization = settings.authorization(self._url)
        if authorization:
            self._headers["Authorization"] = authorization

    def ask(self, method: str, path: str, body: bytes | None) -> Answer:
        """One request. Raises OSError or HTTPException where there is no answer."""
        connection = _Connection(self._url, self._settings, self._tls)
        try:
            connection.request(method, self._url.path.rstrip("/") + path, body, self._headers)
            response = connection.getresponse()
            return Answer(response.status, _parsed(response.read()), self.shown)
        finally:
            connection.close()


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


class Transport:
    """Requests that find a registry that answers; the last that did is asked first."""

    def __init__(self, settings: RegistrySettings, sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._sleep = sleep
        self._registries = [_Registry(url, settings) for url in settings["schema.registry.url"]]

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """The answer to one request. Raises RetriableError where no registry gave one, however often it was asked."""
        text = None if body is None else json.dumps(body).encode()
        tries = self._settings["max.retries"] + 1
        reasons: dict[str, str] = {}
        for number in range(tries):
            if number:
                self._sleep(self._wait_s(number))
            for registry in list(self._registries):
                answer = self._one(registry, method, path, text, reasons)
                if answer is not None:
                    return answer
        told = "; ".join(f"{url}: {reason}" for url, reason in reasons.items())
        raise RetriableError(
            f"The schema registry did not answer {method} {path} in {tries} tries ({told}): start it, "
            f"or correct {self._settings.role}.schema.registry.url"
        )

    def _one(
        self, registry: _Registry, method: str, path: str, text: bytes | None, reasons: dict[str, str]
    ) -> Answer | None:
        try:
            answer = registry.ask(method, path, text)
        except (OSError, http.client.HTTPException) as error:
            reasons[registry.shown] = _reason(error)
            return None
        if answer.status in _PASSING:
            reasons[registry.shown] = answer.message
            return None
        self._registries.sort(key=lambda other: other is not registry)
        return answer

    def _wait_s(self, number: int) -> float:
        longest = min(self._settings["retries.max.wait.ms"], self._settings["retries.wait.ms"] * 2 ** (number - 1))
        return float(longest) / 1000 * random.uniform(0.75, 1.0)


def _reason(error: Exception) -> str:
    match error:
        case socket.gaierror():
            return "its name cannot be resolved"
        case TimeoutError():
            return "no answer in time"
        case ssl.SSLError():
            return f"TLS failed: {error.reason or error}"
        case OSError(strerror=str(text)):
            return text
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
