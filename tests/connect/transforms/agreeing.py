"""One record through a transformation by row and by batch, which have to agree."""

from typing import Any, TypeVar

import pyarrow as pa

from headrace.connect.api import Batch, ConnectSchema, DataError, Record, Transformation, from_records
from tests.connect.strategies import same

T = TypeVar("T", bound=Transformation)


def made(kind: type[T], **properties: Any) -> T:
    """A configured transformation; in names of properties, _ stands for a dot."""
    subject = kind()
    subject.configure({name.replace("_", "."): value for name, value in properties.items()})
    return subject


def by_batch(subject: Transformation, batches: list[Batch]) -> list[Record]:
    """The records of the batches that these become; each array is what Arrow holds for sound."""
    made = [done for batch in batches for done in subject.apply_batch(batch)]
    for done in made:
        for column in (done.key, done.value, done.tombstone):
            if isinstance(column, pa.Array):
                column.validate(full=True)
                assert len(column) == len(done)
    return [record for done in made for record in done.records()]


def outcome(run: Any) -> Any:
    """What `run` gives, or the text of its refusal; of dates that Python has not, where that shows differs."""
    try:
        return run()
    except DataError as error:
        return "beyond" if "years 1 to 9999" in str(error) else str(error)


def headers_of(record: Record) -> list[Any]:
    return [[header.name, id(header.schema), header.value] for header in record.headers]


def value_of(subject: Transformation, schema: ConnectSchema | None, value: Any) -> tuple[ConnectSchema | None, Any]:
    """Schema and value that a value becomes, by row and (the same) by column, in a slice too."""
    record = Record("t", value_schema=schema, value=value)
    by_row = subject.apply(record)
    assert by_row is not None
    (column,) = by_batch(subject, from_records([record]))
    second = by_batch(subject, [batch.slice(1, 2) for batch in from_records([record, record])])
    for row in (column, *second):
        assert row.value_schema is by_row.value_schema
        assert same(row.value, by_row.value)
        assert same(row.key, by_row.key)
    return by_row.value_schema, by_row.value


def agree(subject: Transformation, records: list[Record]) -> None:
    """Batches of the records, and slices of longer ones, give what their rows give, or refuse where one is refused."""
    wanted = [outcome(lambda record=record: subject.apply(record)) for record in records]
    for batch in from_records(records):
        rows = [wanted[index] for index in batch.origin_index.to_pylist()]
        for part in (batch, padded(batch, 8), padded(batch, 3)):
            _agree(outcome(lambda part=part: by_batch(subject, [part])), rows)


def padded(batch: Batch, rows: int) -> Batch:
    """The same batch as a slice of one that has some rows more before it."""
    longer = batch.take(pa.array([0] * rows + list(range(len(batch))), pa.int64()))
    return longer.slice(rows, len(longer))


def _agree(done: Any, rows: list[Any]) -> None:
    refused = {row for row in rows if isinstance(row, str)}
    if refused:
        assert done in refused
        return
    assert not isinstance(done, str), done
    assert [record.origin_index for record in done] == [record.origin_index for record in rows]
    for mine, row in zip(done, rows, strict=True):
        assert (mine.value_schema, mine.key_schema) == (row.value_schema, row.key_schema)
        assert same(mine.value, row.value) and same(mine.key, row.key)
        assert (mine.topic, mine.timestamp, mine.partition) == (row.topic, row.timestamp, row.partition)
        assert same(headers_of(mine), headers_of(row))
