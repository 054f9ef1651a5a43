"""kill -9 of each process in mid-stream at full speed; a ledger of what was inserted is compared with the target.

Mutations that make these fail: commit source offsets at poll instead of at acknowledgement (rows lost at the worker's
and the host's kill); commit sink offsets before the target's commit (rows lost at the host's kill); acknowledge a
produce before the append (rows lost at the broker's kill); insert in place of upsert (a redelivered row is refused).
"""

from collections.abc import Callable

import pytest

from tests.pipeline.conftest import Ends
from tests.pipeline.iris import UPSERT, Writer, sink_config, source_config
from tests.pipeline.stack import Stack, wait_until

ROUNDS = 3
DEADLINE_S = 90


def kill_broker(stack: Stack, at: int) -> None:
    stack.broker.kill()
    stack.broker.start()


def kill_worker(stack: Stack, at: int) -> None:
    stack.worker.kill()
    stack.start_worker()


def kill_task_host(stack: Stack, at: int) -> None:
    stack.kill_task_host(at)


def missing(ledger: set[int], ends: Ends) -> str:
    """Which ids did not arrive, in a few words."""
    lost = sorted(ledger - {int(str(row[0])) for row in ends.rows(ends.target)})
    return f"{len(lost)} ids are missing, from {lost[0]} to {lost[-1]}; " if lost else ""


@pytest.mark.crash
@pytest.mark.parametrize("kill", [kill_broker, kill_worker, kill_task_host])
@pytest.mark.timeout(300)
def test_no_row_is_lost_or_doubled_by_a_kill_under_upsert(
    stack: Stack, ends: Ends, kill: Callable[[Stack, int], None]
) -> None:
    stack.create("source", source_config(ends.source))
    stack.create("sink", sink_config(ends.target, **UPSERT))
    writer = Writer(ends.source.dsn)
    writer.start()

    def complaint() -> str:
        states = "; ".join(f"{name} {stack.states(name)} {stack.trace(name)}" for name in ("source", "sink"))
        return f"{ends.arrived()} of {len(writer.ledger)} rows; writer: {writer.failure}; {states}"

    def wait_for_more() -> None:
        before = ends.arrived()
        wait_until(lambda: ends.arrived() > before, DEADLINE_S, complaint)

    for at in range(ROUNDS):
        wait_for_more()
        kill(stack, at)
    wait_for_more()
    writer.finish()
    wait_until(
        lambda: ends.arrived() >= len(writer.ledger), DEADLINE_S, lambda: missing(writer.ledger, ends) + complaint()
    )
    expected = ends.rows(ends.source)
    assert {row[0] for row in expected} == writer.ledger
    assert ends.rows(ends.target) == expected
