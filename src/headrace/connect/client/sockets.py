"""Two repairs to kafka-python's sockets, for every client that is built on its network layer."""

import socket
import ssl
from typing import Any, Final

from kafka.net.inet import KafkaNetSocket
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport

from kafka import errors

RECEIVE_BYTES: Final = 1 << 18
RECEIVE_MOST_BYTES: Final = 1 << 22
"""What is taken from one socket before the others have their turn."""

_connect_socket = KafkaNetSocket.sock_connect


async def _connect_or_close(self: Any, net: Any, sock: socket.socket, address: Any, timeout_at: Any = None) -> Any:
    """The library leaves the socket of a refused connection open until the garbage collector finds it."""
    try:
        return await _connect_socket(self, net, sock, address, timeout_at=timeout_at)
    except BaseException:
        sock.close()
        raise


def _receive(self: Any) -> tuple[bytes, BaseException | None]:
    """The library reads 4 KB a call; each call gives the interpreter away and may wait for it to come back."""
    received: list[bytes] = []
    size, is_tls = 0, isinstance(self._sock, ssl.SSLSocket)
    try:
        while size < RECEIVE_MOST_BYTES or is_tls:  # what TLS has decrypted already, the selector does not see
            data = self._sock.recv(RECEIVE_BYTES)
            if not data:
                return b"".join(received), errors.KafkaConnectionError("socket disconnected")
            received.append(data)
            size += len(data)
            if len(data) < RECEIVE_BYTES and not is_tls:
                break
    except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        pass
    except OSError as error:
        return b"".join(received), errors.KafkaConnectionError(error)
    return received[0] if len(received) == 1 else b"".join(received), None


def mend_sockets() -> None:
    """Make the library's clients of this process, made later, use these; again does no harm."""
    KafkaNetSocket.sock_connect = _connect_or_close
    KafkaTCPTransport._sock_recv = _receive
    KafkaSSLTransport._sock_recv = _receive
