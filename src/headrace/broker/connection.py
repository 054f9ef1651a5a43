"""One TCP connection: bytes into frames, answers out. The thin shell around a `Session`.

The receive buffer begins small and grows to the largest request of the connection, so that thousands of idle ones cost
little; a frame is handled where it lies, and a buffer that is no longer used at its size is given back.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

from headrace.broker.session import Peer, Session

if TYPE_CHECKING:
    from headrace.broker.server import Server

logger = logging.getLogger(__name__)

_FIRST_BYTES: Final = 4096
_KEPT_BYTES: Final = 65_536
_SIZE_BYTES: Final = 4


class Connection(asyncio.BufferedProtocol):
    """The protocol of one accepted socket; also the `Wire` of its session."""

    def __init__(self, server: "Server", listener: str) -> None:
        self._server = server
        self._listener = listener
        self._buffer = bytearray(_FIRST_BYTES)
        self._start = 0
        self._end = 0
        self._is_blocked = False
        self._is_paused = False
        self._is_closing = False
        self._was_large = False
        self.last_heard_ms = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        host, port = (transport.get_extra_info("peername") or ("unknown", 0))[:2]
        peer = Peer(self._server.next_connection_id(), str(host), int(port), self._listener)
        self._session = Session(peer, self._server.state, self._server.handlers, self, self._server.wall_ms)
        self.last_heard_ms = self._server.tick()
        self._server.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._is_closing = True
        self._server.connections.discard(self)
        self._server.tick()
        self._session.gone()

    def get_buffer(self, sizehint: int) -> memoryview:
        if self._end == len(self._buffer):
            self._make_room(2 * len(self._buffer))
        return memoryview(self._buffer)[self._end :]

    def buffer_updated(self, nbytes: int) -> None:
        self._end += nbytes
        self.last_heard_ms = self._server.tick()
        self._handle_frames()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self._is_blocked = True

    def resume_writing(self) -> None:
        self._is_blocked = False
        self.resume()

    def write(self, pieces: Sequence[bytes | memoryview]) -> None:
        if len(pieces) == 1:
            self._transport.write(pieces[0])
        else:
            self._transport.writelines(pieces)

    def close(self) -> None:
        self._is_closing = True
        self._transport.close()

    def resume(self) -> None:
        """An answer was given, or the socket takes bytes again: go on, but not inside of what runs now."""
        self._server.soon(self._handle_frames)

    def shrink(self) -> None:
        """Called now and then: give back a large buffer that was not needed since the last time."""
        if self._was_large:
            self._was_large = False
        elif self._start == self._end and len(self._buffer) > _KEPT_BYTES:
            self._buffer = bytearray(_FIRST_BYTES)
            self._start = self._end = 0

    def _handle_frames(self) -> None:
        while not (self._session.busy or self._is_blocked or self._is_closing):
            available = self._end - self._start
            if available < _SIZE_BYTES:
                break
            size = int.from_bytes(self._buffer[self._start : self._start + _SIZE_BYTES], "big", signed=True)
            if not self._is_acceptable(size):
                return
            if available < _SIZE_BYTES + size:
                self._make_room(_SIZE_BYTES + size)
                break
            self._handle_frame(size)
        self._settle()

    def _is_acceptable(self, size: int) -> bool:
        largest = self._server.max_request_bytes
        if 0 <= size <= largest:
            return True
        self._session.refuse(
            f"it announces a request of {size} bytes, but socket.request.max.bytes is {largest}"
            if size > 0
            else f"it announces a request of {size} bytes, so it speaks another protocol"
        )
        return False

    def _handle_frame(self, size: int) -> None:
        begin = self._start + _SIZE_BYTES
        self._start = begin + size
        self._was_large = self._was_large or size > _KEPT_BYTES
        try:
            self._session.receive(memoryview(self._buffer)[begin : self._start])
        except Exception:
            logger.exception("A request could not be handled; its connection is closed")
            self.close()

    def _settle(self) -> None:
        """Begin the buffer anew once it is empty; stop reading while a request is waiting behind an open answer."""
        if self._start == self._end:
            self._start = self._end = 0
        if self._is_closing:
            return
        if not (self._session.busy or self._is_blocked):
            self._make_room(self._end - self._start + 1)
        is_full = self._end == len(self._buffer)
        if is_full != self._is_paused:
            self._is_paused = is_full
            if is_full:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _make_room(self, size: int) -> None:
        """See to it that `size` bytes from the start on fit; grows by what has arrived, not by what was announced."""
        held = self._end - self._start
        capacity = len(self._buffer)
        if size > capacity:
            capacity = min(size, max(capacity * 2, held * 2))
        elif self._start + size <= capacity:
            return
        if capacity == len(self._buffer):
            self._buffer[:held] = self._buffer[self._start : self._end]
        else:
            grown = bytearray(capacity)
            grown[:held] = self._buffer[self._start : self._end]
            self._buffer = grown
        self._start, self._end = 0, held
