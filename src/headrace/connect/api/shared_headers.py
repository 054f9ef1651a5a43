"""Which rows of a batch share their headers, so that a question is asked once for all of them."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from headrace.connect.api.batch import Header

Headers = tuple[Header, ...]
MOST: Final = 16
"""Each tuple costs a pass over the rows; where there are many, the rows are asked one by one."""


def shared_headers(rows: Sequence[Headers]) -> tuple[list[Headers], Any] | None:
    """The tuples that the rows share and, by row, its index among them; None where they are more than MOST.

    Tuples are the same if they are one object: what equal ones hold is not compared.
    """
    if len(set(map(id, rows[: 4 * MOST]))) > MOST:
        return None
    # The memory of an array of objects are their ids, and `id` of each would take three times as long.
    ids = np.frombuffer(np.fromiter(rows, object, len(rows)).tobytes(), np.intp)
    index = np.zeros(len(rows), np.uint8)
    unseen = np.ones(len(rows), np.bool_)
    found: list[Headers] = []
    while unseen.any():
        if len(found) == MOST:
            return None
        first = int(unseen.argmax())
        same = ids == ids[first]
        index += same * np.uint8(len(found))
        unseen &= ~same
        found.append(rows[first])
    return found, index


def changed(rows: Sequence[Headers], change: Callable[[Headers], Headers]) -> tuple[Headers, ...]:
    """Each row's headers changed; rows that shared theirs share them again."""
    shared = shared_headers(rows)
    if shared is None:
        return tuple(map(change, rows))
    found, index = shared
    return tuple(np.fromiter(map(change, found), object, len(found))[index].tolist())
