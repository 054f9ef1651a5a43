"""The two connections of a task: psycopg's for questions, ADBC's for rows.

Thread rule: the task's thread, but for `cut`.
"""

from typing import Any

import psycopg

from headrace.jdbc import connection as connections
from headrace.jdbc.connection import Target, Wait
from headrace.jdbc.source.stream import RowStreams


class Session:
    """Opened when first used, and again after `close`; a lost connection is replaced by closing."""

    def __init__(self, target: Target, wait: Wait, max_rows: int | None = None, isolation: str = "DEFAULT") -> None:
        self.target, self.wait = target, wait
        self._max_rows, self._isolation = max_rows, isolation
        self._connection: psycopg.Connection[Any] | None = None
        self._streams: RowStreams | None = None
        self._connected_before = False

    @property
    def connection(self) -> "psycopg.Connection[Any]":
        """psycopg's; waits for a server that is away. Raises ConnectError and Stopped."""
        if self._connection is None:
            self._connection = connections.connect(self.target, self.wait, connected_before=self._connected_before)
            self._connection.prepare_threshold = None  # a prepared `SELECT * FROM query` fails when its columns change
            self._connected_before = True
        return self._connection

    @property
    def streams(self) -> RowStreams:
        """ADBC's, to the same server. Raises StreamBroken."""
        if self._streams is None:
            endpoint = connections.endpoint_of(self.connection)
            self._streams = RowStreams(connections.conninfo(self.target, endpoint), self._max_rows, self._isolation)
        return self._streams

    def close(self) -> None:
        if self._streams is not None:
            self._streams.close()
        if self._connection is not None:
            self._connection.close()
        self._streams = self._connection = None

    def cut(self) -> None:
        """From another thread: end what is waited for."""
        streams, connection = self._streams, self._connection
        if streams is not None:
            streams.cancel()
        connections.cut(connection)
