"""What a database's errors mean: one sentence that names the thing and the fix, and whether to wait, fail or try again.

Sans-IO. At connect, psycopg gives the server's text and no SQLSTATE, so the text is read (English is known; other
languages are UNCLEAR). Afterwards SQLSTATE decides. No text made here holds a secret (invariant 7): neither a password
nor the repr of a psycopg object, which contains one.
"""

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import psycopg

from headrace.connect.api import ConnectError


class Verdict(enum.Enum):
    """What to do about a connection that could not be opened."""

    FAIL = "fail"
    """It stays so until a person changes something."""
    WAIT = "wait"
    """It passes by itself: a server that is away, starting, stopping or full."""
    UNCLEAR = "unclear"
    """Not known: a few attempts, then fail with the server's words."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who connects where, as the user wrote it."""

    server: str
    database: str
    user: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    verdict: Verdict
    sentence: str


class ConnectionLost(ConnectError):
    """An open connection broke; what was not committed is gone, and connecting again is the remedy."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    verdict: Verdict
    pattern: str
    sentence: str


def _fail(pattern: str, sentence: str) -> _Refusal:
    return _Refusal(Verdict.FAIL, pattern, sentence)


def _wait(pattern: str, sentence: str) -> _Refusal:
    return _Refusal(Verdict.WAIT, pattern, sentence)


_NO_ANSWER: Final = (
    "no PostgreSQL server answers at {server}: start it, or correct host and port in connection.url ({words})"
)
_REFUSALS: Final = [
    _fail(
        r"password authentication failed for user",
        "{server} refuses the password of user {user!r} (or there is no such user): "
        "correct connection.user and connection.password",
    ),
    _fail(
        r"no password supplied|empty password returned by client",
        "{server} asks for a password of user {user!r}: set connection.password",
    ),
    _fail(r'role ".*" does not exist', "there is no user {user!r} at {server}: correct connection.user, or create it"),
    _fail(
        r'role ".*" is not permitted to log in',
        "user {user!r} may not log in at {server}: ALTER ROLE ... LOGIN, or use another connection.user",
    ),
    _fail(
        r"no pg_hba\.conf entry|pg_hba\.conf rejects",
        "{server} does not let user {user!r} connect to database {database!r} from this machine: "
        "add an entry to its pg_hba.conf ({words})",
    ),
    _fail(
        r'database ".*" does not exist',
        "there is no database {database!r} at {server}: correct connection.url, or create the database",
    ),
    _fail(
        r"permission denied for database",
        "user {user!r} may not connect to database {database!r} at {server}: GRANT CONNECT ON DATABASE ... TO ...",
    ),
    _fail(
        r"is not currently accepting connections",
        "database {database!r} at {server} accepts no connections (ALLOW_CONNECTIONS is false)",
    ),
    _fail(
        r"server does not support SSL",
        "{server} offers no TLS, and connection.url asks for it: "
        "drop ssl and sslmode from connection.url, or switch TLS on at the server",
    ),
    _fail(
        r'root certificate file ".*" does not exist|certificate verify failed|does not match host name',
        "the certificate of {server} could not be verified ({words}): "
        "set sslrootcert in connection.url, or a sslmode that does not verify",
    ),
    _fail(r"(invalid|unsupported) .*(option|parameter|value)", "connection.url cannot be used: {words}"),
    _wait(
        r"too many clients already|remaining connection slots are reserved",
        "{server} has no connection left: max_connections is reached; raise it, or run fewer tasks",
    ),
    _wait(
        r"too many connections for (role|database)",
        "{server} has no connection left for user {user!r} and database {database!r}: "
        "their CONNECTION LIMIT is reached; raise it, or run fewer tasks",
    ),
    _wait(r"database system is starting up|not yet accepting connections", "{server} is starting up"),
    _wait(r"database system is shutting down", "{server} is shutting down"),
    _wait(r"database system is in recovery mode", "{server} is recovering from a crash"),
    _wait(
        r"session is (read-only|not read-only)|server is (not )?in hot standby",
        "no server at {server} is of the wanted kind: {words}",
    ),
    _wait(r"Connection (refused|reset|timed out)|timeout expired|connection timeout", _NO_ANSWER),
    _wait(r"No route to host|Network is unreachable|server closed the connection unexpectedly", _NO_ANSWER),
    _wait(r"received invalid response to SSL", _NO_ANSWER),
]


def diagnose(text: str, login: Login) -> Diagnosis:
    """What a failed connect means; `text` is psycopg's."""
    words = server_words(text)
    facts = {"server": login.server, "database": login.database, "user": login.user, "words": words}
    for refusal in _REFUSALS:
        if re.search(refusal.pattern, text):
            return Diagnosis(refusal.verdict, refusal.sentence.format(**facts))
    sentence = f"could not connect to database {login.database!r} at {login.server} as {login.user!r}: {words}"
    return Diagnosis(Verdict.UNCLEAR, sentence)


def unreachable(login: Login, why: str) -> Diagnosis:
    """Where not even a plain TCP connection is accepted."""
    return Diagnosis(Verdict.WAIT, _NO_ANSWER.format(server=login.server, words=why))


def unknown_host(login: Login, host: str) -> Diagnosis:
    return Diagnosis(Verdict.UNCLEAR, f"there is no host {host!r} to be found: correct connection.url ({login.server})")


def server_words(text: str) -> str:
    """The server's own words in psycopg's text, on one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    first = lines[0] if lines else "no reason given"
    first = re.sub(r"^.*?(connection to server [^:]*?failed|connection failed): ", "", first)
    return re.sub(r"^connection to server [^:]*?failed: ", "", first).removeprefix("FATAL:").strip()


def is_lost(error: psycopg.Error) -> bool:
    """Whether the connection itself is gone: a dead or stopping server, a cut line, pg_terminate_backend."""
    state = error.sqlstate
    if state is not None:
        return state[:2] == "08" or state in ("57P01", "57P02", "57P03", "57P05", "25P03")
    return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))


def is_passing(error: psycopg.Error) -> bool:
    """Whether the same statement may succeed later: serialization failure, deadlock, a server short of something."""
    return is_passing_state(error.sqlstate or "")


def is_passing_state(sqlstate: str) -> bool:
    return sqlstate[:2] in ("40", "53") or sqlstate in ("55P03", "57014")


_STATES: Final = {
    "42P01": "table missing: {message}; create it, or correct the table's name in the connector's configuration",
    "3F000": "schema missing: {message}; create it, or correct the schema's name in the connector's configuration",
    "42702": "column name ambiguous: {message}; give the columns of `query` names of their own (AS)",
    "42703": "column missing: {message}; add it, or correct the column's name in the connector's configuration",
    "42501": "permission missing: {message}; GRANT it to user {user!r}, or use another connection.user",
    "42804": "a type does not fit: {message}; change the column's type, or convert the field with a transform",
    "42883": "a type does not fit: {message}; cast the value, or change the column's type",
    "22003": "a value does not fit: {message}; widen the column's type",
    "22001": "a value does not fit: {message}; widen the column",
    "22P02": "a value does not fit: {message}; change the column's type, or convert the field with a transform",
    "22007": "a value does not fit: {message}; change the column's type, or convert the field with a transform",
    "22008": "a value does not fit: {message}; change the column's type, or convert the field with a transform",
    "42601": "the statement is not valid SQL: {message}; correct `query` or `query.suffix`",
    "42P07": "the table is there already: {message}",
    "25006": "the database is read-only: {message}; connect to the primary server",
    "53100": "the server's disk is full: {message}",
    "57014": "the statement was cancelled: {message}; raise statement_timeout if it was that",
}


def explain(error: psycopg.Error, doing: str, user: str = "") -> str:
    """One sentence for an error of a statement; `doing` says of what, such as `table public.iris_data`."""
    message = error.diag.message_primary or server_words(str(error))
    extra = [text for text in (error.diag.message_detail, error.diag.message_hint) if text]
    return explain_state(error.sqlstate, message, doing, user, extra)


def explain_state(sqlstate: str | None, message: str, doing: str, user: str = "", extra: Sequence[str] = ()) -> str:
    """The same where there is a message of the server, and no psycopg error."""
    sentence = _STATES.get(sqlstate or "", "{message}").format(message=" ".join(message.split()), user=user)
    more = "".join(f" ({' '.join(text.split())})" for text in extra)
    state = f" [SQLSTATE {sqlstate}]" if sqlstate else ""
    return f"{doing}: {sentence}{more}{state}"
