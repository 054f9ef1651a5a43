"""Questions whether a server is ready: a real answer of its protocol, not just an open port."""

import http.client
import socket
import struct

HOST = "127.0.0.1"
TIMEOUT_S = 2.0
_API_VERSIONS = 18
_CORRELATION = 7


def kafka_answers(host: str, port: int) -> bool:
    """Whether a Kafka broker answers ApiVersions (version 0) there."""
    request = struct.pack(">hhih", _API_VERSIONS, 0, _CORRELATION, -1)
    try:
        with socket.create_connection((host, port), timeout=TIMEOUT_S) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = connection.recv(8, socket.MSG_WAITALL)
    except OSError:
        return False
    return len(answer) == 8 and struct.unpack(">ii", answer)[1] == _CORRELATION


def http_answers(host: str, port: int, path: str = "/") -> bool:
    """Whether an HTTP server answers 200 there."""
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(host: str = HOST) -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
