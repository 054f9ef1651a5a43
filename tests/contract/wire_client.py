"""A Kafka client with nothing in it: one socket, one request, its decoded answer.

A test says key, version and fields, and reads fields back; nothing is retried, negotiated or hidden on the way.
"""

import socket
import struct
from types import TracebackType
from typing import Any, Self

from kafka.protocol.api_header import ResponseClassRegistry
from kafka.protocol.api_message import ApiMessage

CLIENT_ID = "contract"


class WireClient:
    """One connection. `call` waits for the answer; `post` and `receive` let other requests go in between."""

    def __init__(self, bootstrap: str, timeout_s: float = 30) -> None:
        host, _, port = bootstrap.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._correlation_id = 0
        self._posted: list[type[ApiMessage]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def call(self, request: ApiMessage, version: int) -> Any:
        """The decoded answer to `request` at `version`."""
        self.post(request, version)
        return self.receive()

    def post(self, request: ApiMessage, version: int, client_id: str = CLIENT_ID) -> None:
        """Send `request` without waiting."""
        self._correlation_id += 1
        request.API_VERSION = version
        request.with_header(self._correlation_id, client_id)
        self._socket.sendall(request.encode(version=version, header=True, framed=True))
        self._posted.append(ResponseClassRegistry.get_response_class(request.header))

    def receive(self) -> Any:
        """The decoded answer to the oldest request that has none yet, checked to end where its frame ends."""
        answer = self._posted.pop(0)
        frame = self.receive_frame()
        if not frame:
            raise ConnectionError(f"the server closed the connection instead of answering {answer.__name__}")
        response = answer.decode(frame, header=True)
        assert response.header.correlation_id == self._correlation_id - len(self._posted)
        return response

    def is_answered(self, within_s: float) -> bool:
        """Whether something arrives in that time; it stays unread."""
        before = self._socket.gettimeout()
        self._socket.settimeout(within_s)
        try:
            return bool(self._socket.recv(1, socket.MSG_PEEK))
        except TimeoutError:
            return False
        finally:
            self._socket.settimeout(before)

    def send_frame(self, frame: bytes) -> None:
        """Send bytes of the test's own making as one frame."""
        self._socket.sendall(struct.pack(">i", len(frame)) + frame)

    def receive_frame(self) -> bytes:
        """The next frame without its length; b"" where the server closed the connection."""
        head = self._receive_exactly(4)
        return self._receive_exactly(struct.unpack(">i", head)[0]) if head else b""

    def _receive_exactly(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            piece = self._socket.recv(count - len(parts))
            if not piece:
                return b""
            parts += piece
        return bytes(parts)
