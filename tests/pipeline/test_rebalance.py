"""Tasks of one sink come and go while records flow: nothing is lost, and what is read twice is not written twice.

Mutation that makes it fail: drop, in `SinkConsumer.gather`, all records of a partition that was taken away at any
moment of the call, also those that were read after it was given back.
"""

import pytest

from tests.pipeline.conftest import Ends
from tests.pipeline.iris import UPSERT, sink_config, source_config
from tests.pipeline.stack import Stack, wait_until

ROWS = 60_000
SMALL_STEPS = {
    "consumer.override.max.poll.records": 40,
    "consumer.override.heartbeat.interval.ms": 100,
    "consumer.override.session.timeout.ms": 6000,
}


@pytest.mark.timeout(240)
def test_a_task_that_joins_and_leaves_in_mid_stream_loses_nothing(stack: Stack, ends: Ends) -> None:
    with ends.source.connect() as connection:
        connection.execute(
            "insert into iris_data (timestamp, sepal_length, target) "
            f"select timestamp '2026-01-01' + i * interval '1 ms', i / 10.0, i % 3 from generate_series(1, {ROWS}) i"
        )
    stack.create("source", source_config(ends.source))
    stack.create("sink", sink_config(ends.target, **UPSERT, **SMALL_STEPS))

    def rejoin() -> bool:
        stack.rest.post("/connectors/sink/tasks/1/restart")
        return ends.arrived() == ROWS

    def complaint() -> str:
        return f"{ends.arrived()} of {ROWS} rows; sink {stack.states('sink')} {stack.trace('sink')}"

    wait_until(lambda: ends.arrived() > 0, 60, complaint)
    for _ in range(6):
        before = ends.arrived()
        rejoin()
        wait_until(lambda before=before: ends.arrived() > before or ends.arrived() == ROWS, 60, complaint)
    wait_until(lambda: ends.arrived() == ROWS, 90, complaint)
    assert ends.rows(ends.target) == ends.rows(ends.source)
