"""The `connection.url` of a JDBC connector: what the user wrote, as hosts, database and libpq's parameters.

Sans-IO. Takes pgjdbc's URLs (`jdbc:postgresql://host:port,host2/db?user=...`) and libpq's (`postgresql://user:pw@host/db`).
The password is a Password from here on and is in no text that this module makes (invariant 7).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote

from headrace.connect.api import ConfigError, Password

KEY: Final = "connection.url"
DEFAULT_PORT: Final = 5432
_FORM: Final = "write jdbc:postgresql://HOST:PORT/DATABASE"
_KNOWN_ELSEWHERE: Final = ("mysql", "mariadb", "sqlite", "sqlserver", "oracle", "db2", "sybase", "h2", "derby")

_LIBPQ_NAMES: Final = {
    "sslmode": "sslmode",
    "sslcert": "sslcert",
    "sslkey": "sslkey",
    "sslrootcert": "sslrootcert",
    "sslpassword": "sslpassword",
    "sslNegotiation": "sslnegotiation",
    "connectTimeout": "connect_timeout",
    "loginTimeout": "connect_timeout",
    "ApplicationName": "application_name",
    "options": "options",
    "gssEncMode": "gssencmode",
    "channelBinding": "channel_binding",
    "kerberosServerName": "krbsrvname",
    "requireAuth": "require_auth",
}
"""pgjdbc's parameters that libpq has under another name, or the same."""

_LIBPQ_OWN: Final = frozenset(
    (
        *("application_name", "channel_binding", "connect_timeout", "gssencmode", "krbsrvname", "options"),
        *("keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "tcp_user_timeout"),
        *("load_balance_hosts", "require_auth", "target_session_attrs"),
        *("sslcert", "sslcertmode", "sslcrl", "sslcrldir", "sslkey", "sslmode", "sslnegotiation", "sslpassword"),
        *("sslrootcert", "sslsni", "ssl_max_protocol_version", "ssl_min_protocol_version"),
    )
)
_SERVER_TYPES: Final = {
    "any": "any",
    "primary": "primary",
    "master": "primary",
    "secondary": "standby",
    "slave": "standby",
    "prefersecondary": "prefer-standby",
    "preferslave": "prefer-standby",
}
_SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """A database and how to reach it.

    `hosts`: (host, port), tried in this order. `database`: None means the user's name. `parameters`: libpq's, without
    user and password. `ignored`: the names of parameters that mean nothing here.
    """

    hosts: tuple[tuple[str, int], ...]
    database: str | None
    user: str | None = None
    password: Password | None = None
    parameters: Mapping[str, str] | None = None
    ignored: tuple[str, ...] = ()

    @property
    def server(self) -> str:
        """The servers as a person reads them: `host:port,host2:port2`."""
        return ",".join(f"{_bracketed(host)}:{port}" for host, port in self.hosts)


def parse_url(text: str) -> DatabaseUrl:
    """Read a `connection.url`. Raises ConfigError that names what is wrong with it.

    >>> parse_url("jdbc:postgresql://postgres-server/mydatabase").hosts
    (('postgres-server', 5432),)
    """
    rest, libpq = _without_scheme(text.strip())
    location, _, query = rest.partition("?")
    given = dict(parse_qsl(query, keep_blank_values=True))
    user, password = given.pop("user", None), given.pop("password", None)
    authority, database = _split_location(location, text)
    if libpq and "@" in authority:
        login, _, authority = authority.rpartition("@")
        name, _, secret = login.partition(":")
        user, password = user or unquote(name) or None, password or unquote(secret) or None
    elif "@" in authority:
        raise _bad(
            text, f"user and password do not go before the host; set connection.user and connection.password, {_FORM}"
        )
    parameters, ignored = _parameters(given, text)
    return DatabaseUrl(
        _hosts(authority, text),
        given.get("dbname") or database,
        user,
        None if password is None else Password(password),
        parameters,
        ignored,
    )


def shown(text: str) -> str:
    """The URL without the secrets in it."""
    text = re.sub(r"((?:ssl)?password=)[^&]*", rf"\g<1>{Password.HIDDEN}", text, flags=re.IGNORECASE)
    return re.sub(r"//([^/@:]*):.*@", rf"//\1:{Password.HIDDEN}@", text)


def _bad(text: str, why: str) -> ConfigError:
    message = f"Invalid value {shown(text)} for configuration {KEY}: {why}"
    return ConfigError(message, {KEY: [message]})


def _without_scheme(text: str) -> tuple[str, bool]:
    """What follows the scheme, and whether the URL is in libpq's form."""
    if not text:
        raise ConfigError(f"{KEY} is missing: {_FORM}", {KEY: [f"{KEY} is missing: {_FORM}"]})
    for scheme, libpq in (("jdbc:postgresql:", False), ("postgresql:", True), ("postgres:", True)):
        if text.lower().startswith(scheme):
            return text[len(scheme) :], libpq
    name = text.lower().removeprefix("jdbc:").partition(":")[0]
    if name in _KNOWN_ELSEWHERE:
        raise _bad(text, f"there is no dialect for {name} here, only for PostgreSQL; {_FORM}")
    raise _bad(text, f"it does not begin with jdbc:postgresql:; {_FORM}")


def _split_location(location: str, text: str) -> tuple[str, str | None]:
    """Authority and database of `//authority/database`, `/` or `database`."""
    if not location.startswith("//"):
        return "", unquote(location.removeprefix("/")) or None
    authority, _, path = location[2:].partition("/")
    if "/" in path:
        raise _bad(text, f"the database name {path!r} has a slash in it; {_FORM}")
    return authority, unquote(path) or None


def _hosts(authority: str, text: str) -> tuple[tuple[str, int], ...]:
    return tuple(_host(entry, text) for entry in authority.split(",")) if authority else (("localhost", DEFAULT_PORT),)


def _host(entry: str, text: str) -> tuple[str, int]:
    found = re.fullmatch(r"(?:\[([^\]]*)\]|([^:\[\]]*))(?::(.*))?", unquote(entry.strip()))
    if found is None:
        raise _bad(text, f"{entry!r} is not of the form HOST:PORT (an IPv6 address goes in brackets)")
    host, port = found[1] or found[2] or "localhost", found[3]
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise _bad(text, f"{port!r} is no port number")
    return host, int(port) if port else DEFAULT_PORT


def _parameters(given: Mapping[str, str], text: str) -> tuple[dict[str, str], tuple[str, ...]]:
    parameters: dict[str, str] = {}
    ignored = []
    for name, value in given.items():
        if name in _LIBPQ_NAMES:
            parameters[_LIBPQ_NAMES[name]] = value
        elif name in _LIBPQ_OWN:
            parameters[name] = value
        elif not _special(parameters, name, value) and name != "dbname":
            ignored.append(name)
    _check(parameters, text)
    return parameters, tuple(ignored)


def _special(parameters: dict[str, str], name: str, value: str) -> bool:
    """Take a parameter whose value must be translated; false where the name is not known."""
    match name:
        case "ssl":
            if value.lower() in ("", "true"):
                parameters.setdefault("sslmode", "verify-full")  # as pgjdbc reads ssl=true
        case "currentSchema":
            path = f"-csearch_path={value}".replace("\\", "\\\\").replace(" ", "\\ ")
            parameters["options"] = f"{parameters.get('options', '')} {path}".strip()
        case "targetServerType":
            parameters["target_session_attrs"] = _SERVER_TYPES.get(value.lower(), value)
        case "loadBalanceHosts":
            parameters["load_balance_hosts"] = "random" if value.lower() == "true" else "disable"
        case "tcpKeepAlive":
            parameters["keepalives"] = "1" if value.lower() == "true" else "0"
        case _:
            return False
    return True


def _check(parameters: dict[str, str], text: str) -> None:
    mode = parameters.get("sslmode", "prefer")
    if mode not in _SSL_MODES:
        raise _bad(text, f"sslmode {mode!r} is not known; it is one of {', '.join(_SSL_MODES)}")
    timeout = parameters.get("connect_timeout", "0")
    if not timeout.isdigit():
        raise _bad(text, f"connectTimeout {timeout!r} is not a number of seconds")
    if timeout == "0":
        parameters.pop("connect_timeout", None)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
