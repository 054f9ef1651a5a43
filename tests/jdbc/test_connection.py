"""Connecting: what is refused at once, what is waited for, and the sentences for it, on a real server."""

import contextlib
import logging
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from headrace.connect.api import ConfigDef, ConnectError
from headrace.jdbc import connection as connections
from headrace.jdbc.connection import Stopped, Target, connect, define_connection, endpoint_of, target
from headrace.testing.postgres import Database
from tests.conftest import free_port

NEVER = threading.Event().wait


def target_of(database: Database, **changes: Any) -> Target:
    properties = {
        "connection.url": database.jdbc_url,
        "connection.user": database.server.user,
        "connection.password": database.server.password,
        "connection.attempts": 2,
        "connection.backoff.ms": 20,
    }
    return target(define_connection(ConfigDef()).parse(properties | changes))


def no_wait(seconds: float) -> bool:
    raise AssertionError("waited where waiting does not help")


def refusal(database: Database, **changes: Any) -> str:
    with pytest.raises(ConnectError) as caught:
        connect(target_of(database, **changes), no_wait)
    assert "wrong secret" not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def test_a_connection_is_opened(database: Database) -> None:
    with connect(target_of(database), no_wait) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == (database.name,)


def test_user_and_password_may_stand_in_the_url(database: Database) -> None:
    with connect(target_of(database, **{"connection.url": database.dsn, "connection.user": None}), no_wait) as opened:
        assert opened.info.user == database.server.user


def test_the_address_book_is_used_and_the_name_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_HOSTS", f"postgres-server:5432=127.0.0.1:{database.server.port}")
    url = f"jdbc:postgresql://postgres-server:5432/{database.name}"
    with connect(target_of(database, **{"connection.url": url}), no_wait) as connection:
        found = endpoint_of(connection)
        assert (found.host, found.hostaddr, found.port) == ("postgres-server", "127.0.0.1", database.server.port)
    sentence = refusal(database, **{"connection.url": url, "connection.password": "wrong secret"})
    assert sentence.startswith(f"postgres-server:5432 refuses the password of user {database.server.user!r}")


def test_a_wrong_password_is_refused_at_once(database: Database) -> None:
    sentence = refusal(database, **{"connection.password": "wrong secret"})
    assert sentence == (
        f"127.0.0.1:{database.server.port} refuses the password of user 'headrace' (or there is no such user): "
        "correct connection.user and connection.password"
    )


def test_a_missing_password_is_named(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSFILE", "/dev/null")
    assert "set connection.password" in refusal(database, **{"connection.password": None})


def test_a_missing_database_is_refused_at_once(database: Database) -> None:
    sentence = refusal(database, **{"connection.url": f"{database.jdbc_url}_gone"})
    assert sentence.startswith(f"there is no database '{database.name}_gone' at 127.0.0.1:")


def test_tls_that_is_not_there_is_named(database: Database) -> None:
    assert "offers no TLS" in refusal(database, **{"connection.url": f"{database.jdbc_url}?sslmode=require"})


def test_a_user_who_may_not_log_in_is_refused_at_once(database: Database) -> None:
    name = f"idle_{database.name}"
    with database.connect() as admin:
        admin.execute(f"CREATE ROLE {name} PASSWORD 'x'")  # type: ignore[arg-type]
        try:
            changes = {"connection.user": name, "connection.password": "x"}
            assert "may not log in" in refusal(database, **changes)
        finally:
            admin.execute(f"DROP ROLE {name}")  # type: ignore[arg-type]


@contextlib.contextmanager
def waits_until(done: Callable[[], object], waits: int = 3) -> Iterator[Callable[[float], bool]]:
    """A wait that does `done` after some waits, and counts them."""
    count = 0

    def wait(seconds: float) -> bool:
        nonlocal count
        count += 1
        if count == waits:
            done()
        assert count < 1000
        return bool(NEVER(min(seconds, 0.05)))

    yield wait
    assert count >= waits


def test_a_server_that_is_away_is_waited_for(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    url = f"jdbc:postgresql://127.0.0.1:{port}/{database.name}"
    forwarder = Forwarder(port, database.server.port)
    with caplog.at_level(logging.WARNING), waits_until(forwarder.start, 4) as wait, contextlib.closing(forwarder):
        connect(target_of(database, **{"connection.url": url}), wait).close()
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1, "the same sentence is logged once, not at every attempt"
    assert told[0].startswith(f"no PostgreSQL server answers at 127.0.0.1:{port}: start it, or correct host and port")


class Forwarder:
    """A TCP listener that appears late, and hands connections on."""

    def __init__(self, port: int, to: int) -> None:
        self.port, self.to = port, to
        self.sockets: list[socket.socket] = []
        self.is_closed = False
        self.lock = threading.Lock()

    def start(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port))
        self.sockets.append(listener)
        threading.Thread(target=self.run, args=(listener,), daemon=True).start()

    def run(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self.to))
                self.keep(client, server)
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self.pump, args=pair, daemon=True).start()

    def keep(self, *pair: socket.socket) -> None:
        """Who comes while all is being closed is closed as well."""
        with self.lock:
            self.sockets += pair
            if self.is_closed:
                self.close_all()

    @staticmethod
    def pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        with self.lock:
            self.is_closed = True
            self.close_all()

    def close_all(self) -> None:
        for each in self.sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def test_no_connection_left_is_said_as_such_and_waited_for(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    name = f"few_{database.name}"
    with database.connect() as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x' CONNECTION LIMIT 1")  # type: ignore[arg-type]
        few = target_of(database, **{"connection.user": name, "connection.password": "x"})
        first = connect(few, no_wait)
        with caplog.at_level(logging.WARNING), waits_until(first.close) as wait:
            connect(few, wait).close()
        admin.execute(f"DROP ROLE {name}")  # type: ignore[arg-type]
    assert "has no connection left for user" in caplog.text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("sorry, too many clients already", "max_connections is reached"),
        ("remaining connection slots are reserved for roles with the SUPERUSER attribute", "max_connections"),
        ("the database system is starting up", "is starting up"),
        ("the database system is not yet accepting connections", "is starting up"),
        ("the database system is shutting down", "is shutting down"),
        ("the database system is in recovery mode", "recovering"),
    ],
)
def test_what_passes_by_itself_is_waited_for(words: str, says: str) -> None:
    text = f'connection failed: connection to server at "127.0.0.1", port 5432 failed: FATAL:  {words}'
    found = connections.errors.diagnose(text, connections.Login("h:5432", "db", "me"))
    assert found.verdict is connections.Verdict.WAIT and says in found.sentence


def test_no_pg_hba_entry_is_refused_with_the_servers_words() -> None:
    words = 'no pg_hba.conf entry for host "10.0.0.1", user "me", database "db", no encryption'
    text = f'connection failed: connection to server at "10.0.0.2", port 5432 failed: FATAL:  {words}'
    found = connections.errors.diagnose(text, connections.Login("h:5432", "db", "me"))
    assert found.verdict is connections.Verdict.FAIL and words in found.sentence


def test_an_unknown_text_is_tried_a_few_times_and_then_told_in_the_servers_words(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    def refuse(*_: object, **__: object) -> None:
        raise psycopg.OperationalError(
            'connection failed: connection to server at "127.0.0.1", port 1 failed: FATAL:  비밀번호 인증 실패'
        )

    monkeypatch.setattr(psycopg, "connect", refuse)
    with pytest.raises(ConnectError, match="비밀번호 인증 실패"):
        connect(target_of(database, **{"connection.attempts": 3}), lambda seconds: bool(waited.append(seconds)))
    assert waited == [0.02, 0.02]


def test_a_host_that_is_not_found_fails_at_first_and_is_waited_for_later(database: Database) -> None:
    changes = {"connection.url": "jdbc:postgresql://no-such-host.invalid/db"}
    with pytest.raises(ConnectError, match=r"no host 'no-such-host.invalid'") as caught:
        connect(target_of(database, **changes), lambda _: False)
    assert not isinstance(caught.value, Stopped)
    waits = iter([False] * 5 + [True])
    with pytest.raises(Stopped):
        connect(target_of(database, **changes), lambda _: next(waits), connected_before=True)


def test_the_stop_ends_the_wait_for_a_server(database: Database) -> None:
    url = f"jdbc:postgresql://127.0.0.1:{free_port()}/db"
    with pytest.raises(Stopped):
        connect(target_of(database, **{"connection.url": url}), lambda _: True)


def test_cut_ends_a_query_of_another_thread(database: Database) -> None:
    connection = connect(target_of(database), no_wait)
    threading.Timer(0.2, connections.cut, (connection,)).start()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT pg_sleep(60)")
    connection.close()
