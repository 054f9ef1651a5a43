"""Rows that flow: the generator, the watcher of the target, and what can be asked of the pipeline meanwhile.

Imported when the servers are starting: what it imports takes as long as a server does.
"""

import time
from dataclasses import dataclass, field
from typing import Final

from headrace.demo.arrivals import Arrivals
from headrace.demo.connectors import sink_connector, source_connector
from headrace.demo.generator import Generator
from headrace.demo.ledger import Ledger, RateMeter
from headrace.demo.setup import Pipeline
from headrace.demo.topic import TopicOffset
from headrace.demo.view import Snapshot
from headrace.supervisor.supervisor import Supervisor

STATUS_S: Final = 1.0


@dataclass(slots=True)
class Flow:
    """The parts of a pipeline that flows, and what can be asked of it."""

    pipeline: Pipeline
    supervisor: Supervisor
    ledger: Ledger
    generator: Generator
    arrivals: Arrivals
    topic: TopicOffset
    began: float = field(default_factory=time.monotonic)
    _meter: RateMeter = field(default_factory=RateMeter)
    _asked: float = field(default_factory=time.monotonic)

    @classmethod
    def between(cls, pipeline: Pipeline, supervisor: Supervisor, ledger: Ledger, rate: float) -> "Flow":
        """The parts for a pipeline, not started yet; `rate` in rows/s, 0 as fast as it goes."""
        generator, arrivals = Generator(pipeline.source_dsn, rate, ledger), Arrivals(pipeline.target_dsn, ledger)
        return cls(pipeline, supervisor, ledger, generator, arrivals, TopicOffset(pipeline.bootstrap))

    def __post_init__(self) -> None:
        self._meter.rate(self.began, 0)

    def stop(self) -> None:
        self.generator.stop()
        self.arrivals.stop()
        self.topic.close()

    def check(self) -> None:
        """Raises the most telling error: a server that ended, a connector that failed, a thread of ours."""
        self.supervisor.check()
        if time.monotonic() - self._asked > STATUS_S:
            self._asked = time.monotonic()
            for connector in (source_connector(), sink_connector()):
                self.pipeline.connect.is_running(connector["name"])
        for activity in (self.generator, self.arrivals):
            if activity.error is not None:
                time.sleep(0.2)  # a server that ended is the better explanation
                self.supervisor.check()
                activity.raise_error()

    def snapshot(self, activity: str) -> Snapshot:
        now, latencies = time.monotonic(), self.ledger.latencies
        return Snapshot(
            seconds=now - self.began,
            source_rows=self.ledger.inserted,
            topic_records=self.topic.records(),
            target_rows=self.ledger.seen,
            rows_per_s=self._meter.rate(now, self.ledger.seen),
            p50=latencies.percentile(50),
            p99=latencies.percentile(99),
            activity=activity,
        )
