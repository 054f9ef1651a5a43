"""What a handler gives back: an answer now (`Reply`, `Frame`), an answer later (`Later`), or none (`NoReply`).

Sans-IO; everything here lives on the broker's loop. A connection is answered in the order it asked: while a `Later` is
open, its connection's next request waits (as Apache Kafka mutes the channel).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from headrace.wire.errors import ErrorCode


class Refusal(NamedTuple):
    """Why one thing of a request is not done, in Apache Kafka's words where it has any."""

    error: ErrorCode
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to be encoded at the request's version."""

    message: Any


@dataclass(frozen=True, slots=True)
class Frame:
    """An answer that is encoded already, size and header included, in pieces that need not be joined."""

    pieces: Sequence[bytes | memoryview]


@dataclass(frozen=True, slots=True)
class NoReply:
    """Produce with acks=0: the client does not wait for anything; `closes` is how it learns of an error."""

    closes: bool = False


Answer: TypeAlias = Reply | Frame | NoReply


class Later:
    """An answer that another event on the loop will give: an append, a member that joins, a timer, a disk thread.

    A handler returns it and keeps a reference; whoever has the answer calls `answer` once. Further calls do nothing, so
    an event and a deadline may race. A deadline is the handler's own: `state.timers.after(ms, callback)`.
    `on_gone` is called where the connection closed first; the waiter should then be forgotten.
    """

    __slots__ = ("_answer", "_deliver", "done", "on_gone")

    def __init__(self, on_gone: Callable[[], None] | None = None) -> None:
        self.done = False
        self.on_gone = on_gone
        self._answer: Answer | None = None
        self._deliver: Callable[[Answer], None] | None = None

    def answer(self, answer: Answer) -> None:
        """Give the answer; may be called before the handler returns."""
        if self.done:
            return
        self.done = True
        self._answer = answer
        if self._deliver is not None:
            self._deliver(answer)

    def follow(self, outcome: "Outcome") -> None:
        """Give what a second step gives, now or later."""
        if isinstance(outcome, Later):
            outcome.deliver_to(self.answer)
        else:
            self.answer(outcome)

    def deliver_to(self, deliver: Callable[[Answer], None]) -> None:
        """The session's side: where the answer goes."""
        self._deliver = deliver
        if self._answer is not None:
            deliver(self._answer)

    def abandon(self) -> None:
        """The session's side: the connection is gone, nobody waits."""
        if not self.done:
            self.done = True
            if self.on_gone is not None:
                self.on_gone()


Outcome: TypeAlias = Reply | Frame | NoReply | Later
