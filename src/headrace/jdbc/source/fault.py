"""What interrupted a read, and whether to connect again, to try again, or to fail.

Sans-IO.
"""

from dataclasses import dataclass
from typing import Self

import psycopg

from headrace.jdbc import errors
from headrace.jdbc.source.stream import StreamBroken


class SchemaChanged(Exception):
    """The table's columns changed between the look at them and the read."""


INTERRUPTIONS = (psycopg.Error, StreamBroken, SchemaChanged)


@dataclass(frozen=True, slots=True)
class Fault:
    """`lost`: the connection is gone; `passing`: the same may work later; `words`: the server's; `sentence`: ours."""

    lost: bool
    passing: bool
    words: str
    sentence: str
    opening: bool = False
    """There was no second connection to be had."""

    @classmethod
    def of(cls, error: Exception, doing: str, user: str) -> Self:
        """The fault that one of INTERRUPTIONS means; `doing` says of what."""
        match error:
            case psycopg.Error():
                words = error.diag.message_primary or errors.server_words(str(error))
                passing = errors.is_passing(error)
                return cls(errors.is_lost(error), passing, words, errors.explain(error, doing, user))
            case StreamBroken():
                words, state = str(error), error.sqlstate
                passing = errors.is_passing_state(state or "")
                sentence = errors.explain_state(state, words, doing, user)
                return cls(error.lost, passing, words, sentence, error.opening)
        return cls(False, True, "", f"{doing} changes its columns at every look")
