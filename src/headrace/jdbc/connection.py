"""Connections to the database of a JDBC connector: opened through the address book, waited for where waiting helps.

Thread rule: `connect` runs in the task's thread; every wait ends with a stop. A psycopg connection holds the password,
so that neither it nor its errors are ever printed: errors leave here as sentences (`errors`), without their cause.
"""

import contextlib
import ipaddress
import logging
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo

from headrace.connect.api import ConfigDef, ConnectError, Importance, Password, Type, address, between
from headrace.jdbc import errors
from headrace.jdbc.errors import Diagnosis, Login, Verdict
from headrace.jdbc.url import DatabaseUrl, parse_url

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S: Final = 10
PROBE_TIMEOUT_S: Final = 3.0
SLOWEST_WAIT_MS: Final = 2_000
KEEPALIVES: Final = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""So that a server whose machine is gone is noticed within a minute."""
REMINDER_S: Final = 30.0
Wait = Callable[[float], bool]
"""`context.wait`: waits that many seconds or until the stop; true where the stop came."""


class Stopped(ConnectError):
    """The stop came while a connection was waited for."""


@dataclass(frozen=True, slots=True)
class Target:
    """The database of a connector, and how hard to try."""

    url: DatabaseUrl
    user: str
    password: Password | None
    attempts: int = 3
    backoff_ms: int = 10_000
    application: str = "headrace"

    @property
    def login(self) -> Login:
        return Login(self.url.server, self.database, self.user)

    @property
    def database(self) -> str:
        return self.url.database or self.user


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place to try: the host the user wrote, and the address and port it is at."""

    host: str
    hostaddr: str
    port: int


def define_connection(definition: ConfigDef) -> ConfigDef:
    """Add the keys that source and sink share, in the group Database."""

    def define(name: str, kind: Type, default: Any, text: str, **more: Any) -> None:
        more = {"group": "Database", "importance": Importance.HIGH, "width": "MEDIUM"} | more
        definition.define(name, kind, default, text, **more)

    define(
        "connection.url", Type.STRING, "", "JDBC connection URL: jdbc:postgresql://HOST:PORT/DATABASE.", width="LONG"
    )
    define("connection.user", Type.STRING, None, "The user to connect as.")
    define("connection.password", Type.PASSWORD, None, "The password of the user.")
    attempts = (
        "How often to try to connect where it is not clear that waiting helps. A server that is away, starting or full "
        "is waited for without limit."
    )
    define("connection.attempts", Type.INT, 3, attempts, importance=Importance.LOW, validator=between(1))
    backoff = "How long to wait between attempts to connect, in milliseconds."
    define("connection.backoff.ms", Type.LONG, 10_000, backoff, importance=Importance.LOW, validator=between(1))
    return definition


def target(config: Mapping[str, Any], application: str = "headrace") -> Target:
    """The target of parsed connector properties. Raises ConfigError for a bad URL."""
    url = parse_url(config["connection.url"] or "")
    user = config["connection.user"] or url.user or "postgres"
    return Target(
        url=url,
        user=user,
        password=config["connection.password"] or url.password,
        attempts=config["connection.attempts"],
        backoff_ms=config["connection.backoff.ms"],
        application=application,
    )


def connect(target: Target, wait: Wait, *, connected_before: bool = False) -> "psycopg.Connection[Any]":
    """An open connection in autocommit mode; waits where that helps.

    Raises ConnectError with one sentence where it does not help, and Stopped where the stop came. A host name that is
    not found is a mistake at first, and a server that is away once there has been a connection.
    """
    tried, pause_ms, told, reminder = 0, 100, "", 0.0
    while True:
        found = try_connect(target)
        if isinstance(found, psycopg.Connection):
            return found
        tried += found.verdict is Verdict.UNCLEAR
        hopeless = tried >= target.attempts and not connected_before
        if found.verdict is Verdict.FAIL or hopeless:
            raise ConnectError(found.sentence)
        if found.sentence != told or time.monotonic() >= reminder:
            log.warning("%s; trying again", found.sentence)
            told, reminder = found.sentence, time.monotonic() + REMINDER_S
        pause_ms = min(pause_ms * 2, target.backoff_ms, SLOWEST_WAIT_MS)
        if wait((target.backoff_ms if found.verdict is Verdict.UNCLEAR else pause_ms) / 1000):
            raise Stopped(f"stopped while waiting: {found.sentence}")


def try_connect(target: Target) -> "psycopg.Connection[Any] | Diagnosis":
    """One attempt at each host: a connection, or what the last failure means."""
    found = errors.unreachable(target.login, "no host in connection.url")
    for host, port in target.url.hosts:
        try:
            endpoints = list(_endpoints(host, port))
        except OSError:
            found = errors.unknown_host(target.login, host)
            continue
        for endpoint in endpoints:
            opened = _open(target, endpoint)
            if isinstance(opened, psycopg.Connection):
                return opened
            found = opened
            if found.verdict is Verdict.FAIL:
                return found
    return found


def conninfo(target: Target, endpoint: Endpoint) -> str:
    """libpq's connection string. It holds the password: never print it."""
    parameters: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": target.application}
    parameters |= {"client_encoding": "UTF8"} | KEEPALIVES | dict(target.url.parameters or {})
    parameters |= {"host": endpoint.host, "hostaddr": endpoint.hostaddr, "port": endpoint.port}
    parameters |= {"dbname": target.database, "user": target.user}
    if target.password is not None:
        parameters["password"] = target.password.value
    return make_conninfo(**parameters)


def endpoint_of(connection: "psycopg.Connection[Any]") -> Endpoint:
    """Where an open connection goes, so that a second one can go to the same server."""
    info = connection.info
    return Endpoint(info.host, info.hostaddr, info.port)


def _endpoints(host: str, port: int) -> Iterator[Endpoint]:
    """Every address of a host; raises OSError where the name is not found."""
    where, at = address(host, port)
    with contextlib.suppress(ValueError):
        yield Endpoint(host, str(ipaddress.ip_address(where)), at)
        return
    seen = dict.fromkeys(str(entry[4][0]) for entry in socket.getaddrinfo(where, at, type=socket.SOCK_STREAM))
    for found in seen:
        yield Endpoint(host, found, at)


def _open(target: Target, endpoint: Endpoint) -> "psycopg.Connection[Any] | Diagnosis":
    try:
        return psycopg.connect(conninfo(target, endpoint), autocommit=True)
    except psycopg.Error as error:
        text = str(error)
    found = errors.diagnose(text, target.login)
    if found.verdict is Verdict.UNCLEAR:
        reason = _probe(endpoint)
        if reason is not None:
            return errors.unreachable(target.login, reason)
    return found


def _probe(endpoint: Endpoint) -> str | None:
    """Why a plain TCP connection is not accepted; None where it is."""
    try:
        with socket.create_connection((endpoint.hostaddr, endpoint.port), PROBE_TIMEOUT_S):
            return None
    except OSError as error:
        return error.strerror or type(error).__name__


def cut(connection: "psycopg.Connection[Any] | None") -> None:
    """Cut an open connection from another thread: whoever waits on it gets an error at once."""
    if connection is None or connection.closed:
        return
    with contextlib.suppress(OSError, psycopg.Error), socket.socket(fileno=connection.fileno()) as line:
        try:
            line.shutdown(socket.SHUT_RDWR)
        finally:
            line.detach()  # libpq closes it
