"""Batches made by a task's thread."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headrace.connect.client.accumulator import BATCH_ROWS, Run, Settings
from headrace.connect.client.batches import FEW_BYTES, BatchMaker
from headrace.connect.records.columns import NewRecords, byte_column, concat
from headrace.connect.records.compression import CODECS
from headrace.connect.records.writer import write_batch
from tests.connect.client.test_sender import Driver

LZ4 = Settings(codec=CODECS["lz4"])


def records(count: int, value: bytes = b"the same in each") -> NewRecords:
    return NewRecords(byte_column([b"%09d %s" % (n, value) for n in range(count)]), np.zeros(count, np.int64))


@given(st.integers(1, 400), st.integers(1, 5000), st.integers(1, 300), st.integers(200, 4000))
def test_every_record_is_in_one_part_and_each_batch_fits(count: int, most_bytes: int, most_rows: int, request: int):
    whole = records(count)
    made = list(BatchMaker(Settings(request_bytes=request, batch_bytes=1)).make(whole, most_bytes, most_rows))
    assert write_batch(concat([part for part, _ in made])).encode() == write_batch(whole).encode()
    assert all(batch is not None and batch.records == len(part) <= most_rows for part, batch in made)
    assert all(batch is None or batch.size <= request or batch.records == 1 for _, batch in made)


def test_few_records_are_left_to_go_with_those_that_come():
    ((part, batch),) = BatchMaker(LZ4).make(records(100), 1 << 30, 1 << 30)
    assert (len(part), batch) == (100, None)


def test_batches_grow_as_far_as_those_before_them_have_shrunk():
    maker = BatchMaker(LZ4)
    value = b"the same in each" * 40
    sizes = [
        batch.records for _ in range(5) for _, batch in maker.make(records(10_000, value), 1 << 30, 1 << 30) if batch
    ]
    assert sizes[0] * len(value) < LZ4.request_bytes and sizes[-1] == BATCH_ROWS


def test_noise_that_is_taken_for_text_goes_in_batches_that_fit():
    maker = BatchMaker(LZ4)
    for _ in range(6):
        list(maker.make(records(10_000, b"the same in each" * 10), 1 << 30, 1 << 30))
    chance = np.random.default_rng(1)
    noise = NewRecords(byte_column([chance.bytes(1000) for _ in range(4000)]), np.zeros(4000, np.int64))
    made = [batch for _, batch in maker.make(noise, 1 << 30, 1 << 30)]
    assert sum(batch.records for batch in made if batch) == 4000
    assert all(batch and batch.size <= LZ4.request_bytes for batch in made)


def test_a_batch_that_is_made_goes_as_it_is_between_runs_that_are_not():
    driver = Driver(LZ4).connect()
    ((many, batch),) = BatchMaker(Settings()).make(records(10_000, b"x" * 40), 1 << 30, 1 << 30)
    assert many.sizes().sum() > FEW_BYTES
    driver.add(b"first")
    driver.sender.add("t", 0, Run(many, lambda failure: None, batch=batch, since=driver.now))
    driver.add(b"last")
    sent = []
    for _ in range(3):
        driver.turn()
        sent.append(driver.sent[0].batches[0][1])
        driver.answer()
    assert [each.batch.records for each in sent] == [1, 10_000, 1]
    assert sent[1].batch is batch
    assert [each.sequence for each in sent] == [0, 1, 10_001]
