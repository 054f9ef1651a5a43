"""The loop of a sink task: consumer -> converters -> transformations -> put -> commit.

Owned by the task's thread; `iteration` is one turn. The next records are decoded while a `put` is on its way, one at a
time, in the thread of `TaskCalls`; it has landed before offsets are committed or partitions are given back.
An offset, of the record as it was consumed, is committed only after the task has made everything up to it durable, and
never from a failed task (invariant 3). Every record is written, or skipped under the policy, or stops the task
(invariant 5).
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from headrace.connect.api import (
    Batch,
    ConfigError,
    ConnectError,
    DataError,
    RetriableError,
    SinkOrigin,
    SinkTask,
    TopicPartition,
)
from headrace.connect.runtime.host.consumed import Consumed, consumed_row
from headrace.connect.runtime.host.consumer import SinkConsumer
from headrace.connect.runtime.host.contexts import SinkContext
from headrace.connect.runtime.host.errors import Stage, StageError, hide, sentence
from headrace.connect.runtime.host.java_names import SINK_TASK
from headrace.connect.runtime.host.sink_batches import batches
from headrace.connect.runtime.host.sink_errors import SinkErrors
from headrace.connect.runtime.host.stages import Stages
from headrace.connect.runtime.host.stopped import Stopped
from headrace.connect.runtime.host.task_calls import Flight, TaskCalls

log = logging.getLogger(__name__)

WAIT_S: Final = 0.2
"""How long one turn waits for records: a stop is seen so late at most."""
FIRST_RETRY_S: Final = 0.1
LAST_RETRY_S: Final = 10.0
LETTERS_WAIT_S: Final = 1.0
"""How long a rebalance, and the end of a failed task, wait for dead letters on their way."""
FLIGHT_WAIT_S: Final = 0.02
"""The same while a `put` is on its way."""
Positions = dict[TopicPartition, int]


class _Refused(Exception):
    """`put` raised DataError: nothing of that call is written."""

    def __init__(self, error: DataError) -> None:
        super().__init__(str(error))
        self.error = error


class SinkTaskLoop:
    """One sink task, and what its records come through."""

    def __init__(
        self,
        task: SinkTask,
        context: SinkContext,
        properties: Mapping[str, str],
        stages: Stages,
        errors: SinkErrors,
        settings: Mapping[str, str],
    ) -> None:
        self._task = task
        self._context = context
        self._properties = properties
        self._stages = stages
        self._errors = errors
        self._policy = errors.policy
        self._policy.retries.wait = self._wait_in_turn
        context.errant_record_reporter = errors.reporter
        self._consumer = SinkConsumer(settings, f"connect-{context.connector}", self)
        self._calls = TaskCalls(str(context.id))
        self._flight: Flight | None = None
        self._delivered: Positions = {}
        self._committed: Positions = {}
        self._interval_s = int(context.worker_properties.get("offset.flush.interval.ms") or 60_000) / 1000
        self._due = time.monotonic() + self._interval_s
        self._failed = False
        self._paused = False
        self._started = False
        self._clock: Callable[[], float] = time.monotonic

    def start(self, task_config: Mapping[str, str]) -> None:
        topics = [part.strip() for part in str(self._properties.get("topics", "")).split(",") if part.strip()]
        regex = str(self._properties.get("topics.regex", "") or "").strip()
        if bool(topics) == bool(regex):
            raise ConfigError("Must configure one of topics or topics.regex")
        self._context.consumer = self._consumer
        self._started = True
        self._calls.call(self._task.start, self._context, task_config)
        self._consumer.subscribe(topics, regex)

    def iteration(self, *, paused: bool = False) -> None:
        """One turn: what is there is delivered, offsets are committed where that is due."""
        if paused != self._paused:
            self._change_pause(paused=paused)
        if paused:
            self._consumer.idle(WAIT_S)
            return
        if self._flight is not None and self._flight.result.done():
            self._land()
        self._errors.check()
        found = self._consumer.gather(WAIT_S if self._flight is None else FLIGHT_WAIT_S)
        if found:
            self._deliver(found)
        if self._context.commit_requested or self._clock() >= self._due:
            self._commit()

    def _change_pause(self, *, paused: bool) -> None:
        self._paused = paused
        if paused:
            self._commit()
        else:
            self._consumer.resume(self._consumer.assignment - self._context.paused)

    # Delivery.

    def _deliver(self, found: Sequence[Consumed]) -> None:
        """Decode while the `put` before is on its way; begin the next one when it has landed."""
        try:
            ready, positions = self._decoded(found)
        finally:
            self._land()
        # Partitions may have gone while the last `put` was tried again: their new owner reads these records.
        ready = list(_without(ready, self._consumer.taken))
        positions = self._ours(positions)
        self._flight = Flight(ready, positions, self._calls.begin(self._put_once, ready))

    def _decoded(self, found: Sequence[Consumed]) -> tuple[list[Batch], Positions]:
        positions: Positions = {}
        ready: list[Batch] = []
        for given in found:
            consumed = given.beyond(self._delivered)
            if not len(consumed):
                continue
            self._context.topic_used(consumed.topic)
            positions |= consumed.positions()
            for batch in batches(consumed, self._stages, self._policy):
                for part in self._policy.guard(batch, self._stages.transform, consumed_row):
                    ready += part
        return ready, positions

    def _put_once(self, ready: list[Batch]) -> None:
        if ready:
            self._task.put(ready)

    def _land(self) -> None:
        """Wait for the `put` on its way, and try it again where that is asked for. Raises what stops the task."""
        flight, self._flight = self._flight, None
        if flight is not None:
            self._put_all(flight.ready, flight.result)
            self._through(flight)

    def _through(self, flight: Flight) -> None:
        self._errors.landed()
        self._errors.check()
        self._advance(flight.positions)

    def _land_in_rebalance(self, partitions: Sequence[TopicPartition]) -> None:
        """The same while partitions are taken away: a `put` that failed goes on later, without their records."""
        flight = self._flight
        if flight is None:
            return
        if flight.result.exception() is None:
            self._flight = None
            self._through(flight)
            return
        flight.ready = list(_without(flight.ready, frozenset(partitions)))
        flight.positions = {tp: at for tp, at in flight.positions.items() if tp not in partitions}

    def _put_all(self, ready: list[Batch], begun: "Future[None]") -> None:
        """Put everything; where the task names a bad record, put ever smaller parts until only bad ones are out."""
        try:
            self._put(ready, begun)
        except _Refused:
            try:
                for batch in ready:
                    self._policy.guard(batch, self._put_part, consumed_row)
            except ConnectError:
                # What stands before the bad record is written: committed, it is not written again after a restart.
                self._commit(wait_s=FIRST_RETRY_S * 10)
                raise

    def _put_part(self, batch: Batch) -> None:
        try:
            self._put([batch], self._calls.begin(self._put_once, [batch]))
        except _Refused as refused:
            raise StageError(Stage.TASK_PUT, SINK_TASK, refused.error) from None
        if isinstance(batch.origin, SinkOrigin):
            self._advance(_positions(batch, batch.origin))

    def _put(self, ready: list[Batch], begun: "Future[None]") -> None:
        """`put` until it is through; meanwhile partitions may be taken away, and their records with them."""
        retry_s = FIRST_RETRY_S
        while True:
            try:
                begun.result()
                return
            except RetriableError as error:
                self._back_off(error, retry_s)
                retry_s = min(LAST_RETRY_S, retry_s * 2)
                ready = list(_without(ready, self._consumer.taken))
                begun = self._calls.begin(self._put_once, ready)
            except DataError as error:
                raise _Refused(error) from error
            finally:
                self._resume_after_retry(retry_s)

    def _back_off(self, error: RetriableError, seconds: float) -> None:
        text = hide(sentence(error), self._policy.secrets)
        log.warning("%s: %s; the same records are tried again in %.1f s", self._context.id, text, seconds)
        self._idle(seconds)

    def _wait_in_turn(self, seconds: float) -> None:
        """Before an operation on records is tried again: what else there is to read is read after it."""
        self._idle(seconds)
        self._consumer.resume(self._consumer.assignment - self._context.paused)

    def _idle(self, seconds: float) -> None:
        """Keep the membership meanwhile. Raises Stopped."""
        until = self._clock() + seconds
        while self._clock() < until:
            if self._context.stopping.is_set():
                raise Stopped
            self._consumer.idle(min(WAIT_S, seconds))

    def _resume_after_retry(self, retry_s: float) -> None:
        if retry_s > FIRST_RETRY_S:
            self._consumer.resume(self._consumer.assignment - self._context.paused)

    def _advance(self, positions: Positions) -> None:
        """These records are with the task, or skipped."""
        self._delivered.update(self._ours(positions))

    def _ours(self, positions: Positions) -> Positions:
        """Of partitions that were ours all the while."""
        ours = self._consumer.assignment - self._consumer.taken
        return {tp: at for tp, at in positions.items() if tp in ours}

    # Offsets.

    def _commit(self, wait_s: float = 0) -> None:
        """Make durable what was put, and commit what of it is new."""
        self._land()
        self._due = self._clock() + self._interval_s
        self._context.commit_requested = False
        if wait_s:
            self._errors.wait_for_letters(wait_s)
        offsets = self._durable(self._delivered)
        self._consumer.commit(offsets)
        self._committed.update(offsets)
        if wait_s:
            self._consumer.wait_for_commits(time.monotonic() + wait_s)

    def _durable(self, positions: Mapping[TopicPartition, int]) -> Positions:
        """What of these positions is safely in the target, by the task's word, and not committed yet."""
        new = {tp: at for tp, at in positions.items() if self._committed.get(tp) != at}
        if not new:
            return {}
        safe = self._calls.call(self._task.flush, dict(positions))
        safe = self._errors.committable(safe)
        return {tp: at for tp, at in safe.items() if tp in positions and self._committed.get(tp, -1) < at}

    # Rebalances, in this thread, from within the consumer's calls.

    def assigned(self, partitions: Sequence[TopicPartition]) -> None:
        log.info("%s: assigned %s", self._context.id, _names(partitions))
        self._calls.call(self._task.open, partitions)

    def revoked(self, partitions: Sequence[TopicPartition], *, lost: bool) -> None:
        log.info("%s: %s %s", self._context.id, "lost" if lost else "revoked", _names(partitions))
        try:
            self._land_in_rebalance(partitions)
            if not lost and not self._failed:
                self._errors.wait_for_letters(LETTERS_WAIT_S, partitions)
                mine = {tp: at for tp, at in self._delivered.items() if tp in partitions}
                self._consumer.commit_in_rebalance(self._durable(mine))
        finally:
            for partition in partitions:
                self._delivered.pop(partition, None)
                self._committed.pop(partition, None)
            self._calls.call(self._task.close, partitions)

    # The end.

    def finish(self, *, failed: bool, deadline: float) -> None:
        """Commit what is durable (never from a failed task), leave the group, release everything."""
        self._failed = failed
        try:
            if self._started and not failed:
                with suppress(Stopped):
                    self._land()
                self._flight = None
                self._errors.wait_for_letters((deadline - time.monotonic()) / 2)
                self._commit()
                self._consumer.wait_for_commits(deadline)
            elif self._started:
                self._errors.wait_for_letters(min(LETTERS_WAIT_S, deadline - time.monotonic()))
        finally:
            try:
                self._consumer.close()
            finally:
                self._close_task()

    def _close_task(self) -> None:
        self._policy.tell()
        try:
            if self._started:
                self._calls.call(self._task.stop)
        finally:
            self._calls.close()
            self._stages.close()

    def cancel(self) -> None:
        """By another thread: nothing is committed from now on, and the task is cut off from its target."""
        self._failed = True
        self._consumer.cut_off()
        self._task.cancel()


def _positions(batch: Batch, origin: SinkOrigin) -> Positions:
    """The offsets to go on from after the rows of a batch."""
    partition, offset = origin.partition, origin.offset
    if batch.origin_index is not None:
        partition, offset = partition.take(batch.origin_index), offset.take(batch.origin_index)
    else:
        partition, offset = partition.slice(0, len(batch)), offset.slice(0, len(batch))
    last = dict(zip(partition.to_pylist(), offset.to_pylist(), strict=True))
    return {TopicPartition(origin.topic, number): at + 1 for number, at in last.items()}


def _without(ready: Iterable[Batch], taken: frozenset[TopicPartition]) -> Iterable[Batch]:
    """The batches without the rows of partitions that were taken away: their new owner reads them."""
    for batch in ready:
        if not taken or not isinstance(batch.origin, SinkOrigin):
            yield batch
            continue
        gone = [partition for topic, partition in taken if topic == batch.origin.topic]
        numbers = batch.origin.partition
        rows = numbers.take(batch.origin_index) if batch.origin_index is not None else numbers.slice(0, len(batch))
        kept = batch.filter(pc.invert(pc.is_in(rows, value_set=pa.array(gone, pa.int32()))))
        if len(kept):
            yield kept


def _names(partitions: Sequence[TopicPartition]) -> str:
    return ", ".join(f"{topic}-{partition}" for topic, partition in partitions) or "nothing"
