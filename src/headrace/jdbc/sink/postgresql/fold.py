"""Upserts and deletes that take turns, as two statements: one of the deletes, one of the upserts that outlive them.

Sans-IO. A row that was deleted and came again is deleted first, so that columns which the record does not have are as
empty in it as they would be one by one. Only where equal bytes are an equal key; elsewhere works stay as they are.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from headrace.jdbc.sink.postgresql.cells import Numbers
from headrace.jdbc.sink.postgresql.keys import ranks
from headrace.jdbc.sink.postgresql.work import Work, joined


def fold(works: Sequence[Work], is_exact: Callable[[Work], bool]) -> list[Work]:
    """The works, with each run of turns made two."""
    return [work for run in _runs(works, is_exact) for work in (run if len(run) < 3 else _two(run))]


def _runs(works: Sequence[Work], is_exact: Callable[[Work], bool]) -> Iterator[list[Work]]:
    run: list[Work] = []
    for work in works:
        if run and not (_take_turns(run, work) and is_exact(work)):
            yield run
            run = []
        run.append(work)
        if len(run) == 1 and not is_exact(work):
            yield run
            run = []
    if run:
        yield run


def _take_turns(run: Sequence[Work], work: Work) -> bool:
    """Whether this is a delete after an upsert of the same table and key, or the other way round."""
    last, one = run[-1].plan, work.plan
    if {last.mode, one.mode} != {"upsert", "delete"} or last.table != one.table or last.shape.keys != one.shape.keys:
        return False
    if len(run) > 1 and not run[-2].plan.goes_with(one):
        return False
    return [array.type for array in _keys(run[-1])] == [array.type for array in _keys(work)]


def _keys(work: Work) -> list[pa.Array]:
    return [work.arrays[number] for number in work.plan.key_numbers]


def _two(run: Sequence[Work]) -> list[Work]:
    ends = np.cumsum([len(work) for work in run])
    places = [np.arange(end - len(work), end) for work, end in zip(run, ends, strict=True)]
    deletes, upserts = ([at for at, work in enumerate(run) if work.plan.mode == mode] for mode in ("delete", "upsert"))
    gone, kept = joined([run[at] for at in deletes]), joined([run[at] for at in upserts])
    codes = _codes([pa.concat_arrays(pair) for pair in zip(_keys(gone), _keys(kept), strict=True)])
    last = np.full(codes.max() + 1, -1)
    np.maximum.at(last, codes[: len(gone)], np.concatenate([places[at] for at in deletes]))
    outlives = np.concatenate([places[at] for at in upserts]) > last[codes[len(gone) :]]
    rest = kept.take(pa.array(np.flatnonzero(outlives)))
    return [gone, rest] if len(rest) else [gone]


def _codes(keys: Sequence[pa.Array]) -> Numbers:
    """A number for each row, equal where the keys are."""
    codes = np.zeros(len(keys[0]), np.int64)
    for key in keys:
        found = np.unique(ranks(key), return_inverse=True)[1]
        codes = np.unique(codes * (found.max() + 1) + found, return_inverse=True)[1]
    return codes
