"""JdbcSinkTask: writes what it is given in one transaction, through a database that may go away and come back.

Thread rule: one thread calls everything but `cancel`. Invariants 3 and 5: `put` returns when the rows are committed, or
raises and has written nothing. The one state between the two, a commit whose answer was lost, is kept (`_Doubt`) and
settled by asking the server for the transaction's fate, before the same rows are written again.
"""

import contextlib
import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
import pyarrow as pa

from headrace.connect.api import Batch, ConnectError, DataError, RetriableError, SinkTask, SinkTaskContext
from headrace.jdbc import connection as connections
from headrace.jdbc import errors
from headrace.jdbc.errors import Verdict
from headrace.jdbc.sink.fields import Misfit
from headrace.jdbc.sink.keys import sink_config
from headrace.jdbc.sink.postgresql import statements
from headrace.jdbc.sink.postgresql.faults import are_keys_equal_to_the_server, fault, is_duplicate, may_be_stale
from headrace.jdbc.sink.postgresql.look import look
from headrace.jdbc.sink.postgresql.salvage import Rejected, Salvage
from headrace.jdbc.sink.postgresql.writer import TableChanged, Writer
from headrace.jdbc.sink.settings import DEFAULT_RETRIES, listed_topics, read_settings

log = logging.getLogger(__name__)

LONGEST_PUT_S: Final = 20.0
"""How long one `put` waits for a database before it gives the runtime a turn."""
FIRST_BACKOFF_MS: Final = 100
LONGEST_BACKOFF_MS: Final = 3_000


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A transaction whose commit was asked for and not answered, and what it wrote."""

    number: str
    batches: Sequence[Batch]
    rejected: Sequence[Rejected] = ()

    def without(self, batches: Sequence[Batch]) -> list[Batch]:
        """These batches without the records that it wrote: some may have been given to another task meanwhile."""
        written = {batch.kafka_position(row) for batch in self.batches for row in range(batch.length)}
        kept = (
            batch.filter(
                pa.array([batch.kafka_position(row) not in written for row in range(batch.length)], pa.bool_())
            )
            for batch in batches
        )
        return [batch for batch in kept if batch.length]


class _Again(Exception):
    """The same rows are to be written again at once: what stood in the way has been taken out of it."""


class JdbcSinkTask(SinkTask):
    """See the module."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection[Any] | None = None
        self._writer: Writer | None = None
        self._doubt: _Doubt | None = None
        self._late = False
        """The last transaction came as far as its commit: what failed it was silent until then."""
        self._tries = 0

    def start(self, context: SinkTaskContext, properties: Mapping[str, str]) -> None:
        config = sink_config().parse(properties)
        self._context = context
        tolerant = str(properties.get("errors.tolerance") or "none").strip().lower() == "all"
        self._reporter = context.errant_record_reporter if tolerant else None
        self._settings = read_settings(config, listed_topics(properties))
        self._target = connections.target(config, f"headrace {context.connector}-{context.task}")
        self._connection = connections.connect(self._target, context.wait)
        try:
            self._writer = Writer(self._connection, self._settings)
            self._look(self._connection, properties)
        except psycopg.Error as error:
            sentence = errors.explain(error, "the target database", self._target.user)
        except ConnectError:
            self._disconnect()
            raise
        else:
            return
        self._disconnect()
        raise ConnectError(sentence)

    def put(self, batches: Sequence[Batch]) -> None:
        given = [batch for batch in batches if batch.length]
        if not given:
            return
        waited = 0.0
        while True:
            try:
                self._attempt(given)
            except RetriableError as error:
                pause = self._pause(error)
                waited += pause
                if waited > LONGEST_PUT_S or self._context.wait(pause):
                    raise
            except _Again:
                continue
            else:
                self._tries = 0
                return

    def stop(self) -> None:
        self._disconnect()

    def cancel(self) -> None:
        connections.cut(self._connection)

    def _attempt(self, batches: Sequence[Batch]) -> None:
        """Write all of it, once. Raises RetriableError where waiting helps, _Again where it need not."""
        try:
            self._transact(batches)
        except Misfit as misfit:
            if self._reporter is None:
                raise ConnectError(f"record {misfit.record}: {misfit}") from None
        except DataError:
            if self._reporter is None:
                raise
        else:
            return
        self._transact(batches, salvaging=True)

    def _transact(self, batches: Sequence[Batch], *, salvaging: bool = False) -> None:
        writer = self._writer or self._connect()
        try:
            if self._doubt is not None:
                batches = self._settled(writer, self._doubt, batches)
            if not batches:
                return
            if salvaging:
                self._write(writer, Salvage(writer, self._target.user, check_deferred=self._late), batches)
            else:
                self._write(writer, writer, batches)
        except psycopg.Error as error:
            found = self._failed(writer, error)
        else:
            return
        raise found  # outside the handler: psycopg's error, which knows the password, does not go along

    def _write(self, writer: Writer, by: Writer | Salvage, batches: Sequence[Batch]) -> None:
        works = by.prepare(batches)
        self._late = False
        try:
            number = writer.begin(works, with_number=self._settings.insert_mode == "insert")
            by.write(works)
            if number is not None:
                self._doubt = _Doubt(number, batches, by.rejected)
            self._late = True
            writer.commit()
        except psycopg.Error as error:
            if not errors.is_lost(error):
                self._doubt = None
            raise
        except TableChanged:
            writer.roll_back()
            writer.forget()
            raise _Again from None
        except BaseException:
            with contextlib.suppress(psycopg.Error):
                writer.roll_back()
            raise
        self._doubt = None
        self._tell(by.rejected)

    def _tell(self, rejected: Sequence[Rejected]) -> None:
        """Report what was left out, now that the rest is committed."""
        if self._reporter is not None:
            for one in rejected:
                self._reporter.report(one.batch, one.row, one.error)

    def _settled(self, writer: Writer, doubt: _Doubt, batches: Sequence[Batch]) -> Sequence[Batch]:
        """What of these batches is still to be written, now that a commit whose answer was lost can be asked for."""
        try:
            row = psycopg.RawCursor(writer.connection).execute(statements.FATE, (doubt.number,)).fetchone()
        except psycopg.errors.InvalidParameterValue:
            row = ("aborted",)  # a number that this server never came to: it lost the transaction
        fate = row[0] if row else None
        if fate == "in progress":
            raise RetriableError(f"transaction {doubt.number}, whose commit was not answered, has not ended yet")
        self._doubt = None
        log.info("transaction %s, whose commit was not answered: %s", doubt.number, fate)
        if fate != "committed":
            return batches
        self._tell(doubt.rejected)
        return doubt.without(batches)

    def _failed(self, writer: Writer, error: psycopg.Error) -> Exception:
        """What to raise for an error of the database; the connection is as before the transaction, or gone."""
        work, writer.at = writer.at, None
        if writer.connection.closed or not self._rolled_back(writer):
            return self._lost(error)
        if is_duplicate(error) and work is not None and work.plan.mode == "upsert" and writer.novelty.refute():
            return _Again()
        if are_keys_equal_to_the_server(error) and work is not None and writer.distrust_keys(work):
            return _Again()
        if may_be_stale(error) and not writer.is_fresh:
            writer.forget()
            return _Again()
        writer.novelty.committed()
        if errors.is_passing(error):
            return RetriableError(errors.explain(error, "the target database", self._target.user))
        return fault(error, work, self._target.user)

    def _lost(self, error: psycopg.Error) -> RetriableError:
        self._disconnect()
        return RetriableError(f"the connection to {self._target.url.server} was lost: {_words(error)}")

    def _rolled_back(self, writer: Writer) -> bool:
        try:
            writer.roll_back()
        except psycopg.Error:
            return False
        return True

    def _pause(self, error: RetriableError) -> float:
        """Seconds to wait before the next try. Raises ConnectError where there have been enough."""
        self._tries += 1
        limit = self._settings.max_retries
        if limit is None and self._connection is not None:
            limit = DEFAULT_RETRIES
        if limit is not None and self._tries > limit:
            raise ConnectError(f"{error} (given up after {limit} retries, max.retries)") from None
        if self._tries in (1, 10) or self._tries % 100 == 0:
            log.warning("%s: %s; trying again", self._context.connector, error)
        fixed = self._settings.retry_backoff_ms
        growing = min(FIRST_BACKOFF_MS * 2 ** min(self._tries - 1, 10), LONGEST_BACKOFF_MS)
        return (growing if fixed is None else fixed) / 1000 * random.uniform(0.8, 1.2)

    def _connect(self) -> Writer:
        """A connection in place of one that was lost. Raises RetriableError, ConnectError where waiting is no use."""
        found = connections.try_connect(self._target)
        if not isinstance(found, psycopg.Connection):
            if found.verdict is Verdict.FAIL:
                raise ConnectError(found.sentence)
            raise RetriableError(found.sentence)
        self._connection = found
        try:
            self._writer = Writer(found, self._settings)
        except psycopg.Error as error:
            lost = self._lost(error)
        else:
            log.info("%s: connected to %s again", self._context.connector, self._target.url.server)
            return self._writer
        raise lost

    def _disconnect(self) -> None:
        connection, self._connection, self._writer = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                connection.close()

    def _look(self, connection: "psycopg.Connection[Any]", properties: Mapping[str, str]) -> None:
        """What cannot work is said before the first record comes."""
        faults = look(connection, self._settings, properties)
        if faults:
            raise ConnectError("\n".join(dict.fromkeys(text for _, text in faults)))


def _words(error: psycopg.Error) -> str:
    return errors.server_words(error.diag.message_primary or str(error))
