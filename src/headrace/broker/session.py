"""One connection's conversation, sans-IO: frames in, answers out, in the order of the requests.

Lives on the loop. A session handles one request at a time: while an answer is open (`Later`), `busy` is true and the
server keeps further frames in its buffer, as Apache Kafka mutes the channel.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from headrace.broker.dispatch import API_VERSIONS, Context, Handler
from headrace.broker.outcome import Answer, Frame, Later, Reply
from headrace.wire.codec import encode_reply
from headrace.wire.frame import MalformedFrame, RequestHeader, parse_header

if TYPE_CHECKING:
    from headrace.broker.state import State

logger = logging.getLogger(__name__)


class Wire(Protocol):
    """The server's side of a connection."""

    def write(self, pieces: Sequence[bytes | memoryview]) -> None: ...

    def close(self) -> None: ...

    def resume(self) -> None:
        """The open answer has been given: hand over the next frame, if there is one."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end, and by which listener it came."""

    connection_id: int
    host: str
    port: int
    listener: str


class Session:
    """Frames of one connection, answered through its wire."""

    __slots__ = ("_handlers", "_later", "_now_ms", "_state", "_wire", "peer")

    def __init__(
        self, peer: Peer, state: "State", handlers: dict[int, Handler], wire: Wire, now_ms: Callable[[], int]
    ) -> None:
        self.peer = peer
        self._state = state
        self._handlers = handlers
        self._wire = wire
        self._now_ms = now_ms
        self._later: Later | None = None

    @property
    def busy(self) -> bool:
        """An answer is open; the next frame must wait."""
        return self._later is not None

    def receive(self, frame: memoryview) -> None:
        """Handle one request; the frame's bytes may be reused once this returns."""
        try:
            header = parse_header(frame)
            handler = self._handlers.get(header.api_key)
            if handler is None or not handler.low <= header.api_version <= handler.high:
                self._unsupported(header, handler)
                return
            request = handler.decode(header, frame)
        except MalformedFrame as error:
            self.refuse(str(error))
            return
        outcome = handler.handle(request, self._context(header), self._state)
        if isinstance(outcome, Later):
            self._wait(outcome, header)
        else:
            self._send(outcome, header)

    def refuse(self, why: str) -> None:
        """Close the connection with one line in the log."""
        logger.warning("Closed the connection of %s:%d: %s.", self.peer.host, self.peer.port, why)
        self._wire.close()

    def gone(self) -> None:
        """The connection is closed; whoever has its open answer need not give it."""
        later, self._later = self._later, None
        if later is not None:
            later.abandon()

    def _context(self, header: RequestHeader) -> Context:
        peer = self.peer
        return Context(
            header.api_version,
            header.correlation_id,
            header.client_id,
            peer.host,
            peer.listener,
            peer.connection_id,
            self._now_ms(),
        )

    def _unsupported(self, header: RequestHeader, handler: Handler | None) -> None:
        """ApiVersions of a version not known is answered at version 0 (KIP-511); all else closes the connection."""
        if handler is not None and header.api_key == API_VERSIONS:
            context = self._context(header._replace(api_version=-1))
            outcome = handler.handle(None, context, self._state)
            assert not isinstance(outcome, Later)
            self._send(outcome, header._replace(api_version=0))
            return
        self.refuse(f"API key {header.api_key} version {header.api_version} is not offered")

    def _wait(self, later: Later, header: RequestHeader) -> None:
        self._later = later

        def deliver(answer: Answer) -> None:
            if self._later is later:
                self._later = None
                self._send(answer, header)
                self._wire.resume()

        if later.done:
            self._later = None
            later.deliver_to(lambda answer: self._send(answer, header))
        else:
            later.deliver_to(deliver)

    def _send(self, answer: Answer, header: RequestHeader) -> None:
        if isinstance(answer, Reply):
            self._wire.write((encode_reply(answer.message, header.api_version, header.correlation_id),))
        elif isinstance(answer, Frame):
            self._wire.write(answer.pieces)
        elif answer.closes:
            self._wire.close()
