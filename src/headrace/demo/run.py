"""The demo from its first line to its last.

The main thread starts, shows, compares and stops; the generator and the watcher of the target are threads of their own.
"""

import re
import textwrap
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from headrace.demo.formats import Format
from headrace.demo.ledger import Ledger
from headrace.demo.setup import Pipeline, start_pipeline
from headrace.supervisor.folder import TemporaryFolder
from headrace.supervisor.interrupts import Interrupted, Interrupts
from headrace.supervisor.supervisor import Supervisor

if TYPE_CHECKING:
    from rich.console import Console

    from headrace.demo.comparison import Comparison
    from headrace.demo.flow import Flow
    from headrace.demo.view import View

STALLED_S: Final = 20.0
"""How long the drain waits for the next row before it gives the rest up as lost."""
DRAIN_SHOW_S: Final = 0.1
INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """`seconds` None runs until Ctrl-C; `rate` is in rows/s, 0 as fast as it goes."""

    seconds: float | None = None
    rate: float = 5.0
    keep: bool = False
    sink_first: bool = False
    format: Format = Format.JSON


@dataclass(slots=True)
class Demo:
    """One run. `run` gives the exit status."""

    options: DemoOptions
    console: "Console"
    interrupts: Interrupts
    ledger: Ledger = field(default_factory=Ledger)

    def run(self) -> int:
        """0 where every row arrived once, 1 where not, 130 where it was interrupted before it could tell.

        Raises ProcessFailed, DemoFailed, psycopg.Error or OSError where it cannot go on; all is stopped by then.
        """
        began = time.monotonic()
        with TemporaryFolder("headrace-demo-", self.options.keep) as folder:
            if self.options.keep:
                self.say(f"files    {folder.path} (kept)")
            supervisor = Supervisor(self.interrupts)
            try:
                options = self.options
                pipeline = start_pipeline(
                    supervisor, folder, self.interrupts, self.say, options.format, options.sink_first
                )
                self.say(f"ready    in {time.monotonic() - began:.1f} s; {self._how_it_ends()}")
                last_line, status = self._flow(pipeline, supervisor)
            except Interrupted:
                last_line, status = "demo: interrupted", INTERRUPTED
            finally:
                supervisor.stop()
        self.say(last_line)
        return status

    def say(self, line: str) -> None:
        shown = wrapped(line, self.console.width) if self.console.is_terminal else line
        self.console.print(shown, highlight=False, markup=False, soft_wrap=True)

    def _how_it_ends(self) -> str:
        return "Ctrl-C ends it" if self.options.seconds is None else f"it ends after {self.options.seconds:g} s"

    def _flow(self, pipeline: Pipeline, supervisor: Supervisor) -> tuple[str, int]:
        """Let rows flow, drain, compare: the last line and the exit status."""
        from headrace.demo.comparison import compare_tables
        from headrace.demo.flow import Flow
        from headrace.demo.view import view_on

        flow = Flow.between(pipeline, supervisor, self.ledger, self.options.rate)
        try:
            with view_on(self.console) as view:
                self._generate(flow, view)
                self._drain(flow, view)
            if self.interrupts.hurried:
                raise Interrupted
            comparison = compare_tables(pipeline.source_dsn, pipeline.target_dsn)
            for line in comparison.faults:
                self.say(f"lost or duplicated: {line.decode().rstrip()}")
            self._say_savings(pipeline)
            return self._last_line(comparison, flow.topic.records()), 0 if comparison.equal else 1
        finally:
            flow.stop()

    def _generate(self, flow: "Flow", view: "View") -> None:
        """Until the time is over or a signal came."""
        flow.arrivals.start()
        flow.generator.start()
        end = float("inf") if self.options.seconds is None else flow.began + self.options.seconds
        while not self.interrupts.sleep(min(view.interval_s, max(0.0, end - time.monotonic()))):
            flow.check()
            if time.monotonic() >= end:
                break
            view.show(flow.snapshot("running"))
        if self.interrupts.asked:
            self.say("ending: the generator stops, the pipeline drains (Ctrl-C again leaves at once)")
        flow.generator.stop()

    def _drain(self, flow: "Flow", view: "View") -> None:
        """Until the target has everything, nothing moves any more, or a second signal came."""
        seen, moved, shown = self.ledger.seen, time.monotonic(), time.monotonic()
        while self.ledger.backlog and time.monotonic() - moved < STALLED_S and not self.interrupts.hurried:
            time.sleep(DRAIN_SHOW_S)
            flow.check()
            if time.monotonic() - shown >= view.interval_s:
                shown = time.monotonic()
                view.show(flow.snapshot("draining"))
            if self.ledger.seen != seen:
                seen, moved = self.ledger.seen, time.monotonic()
        flow.arrivals.stop()
        view.show(flow.snapshot("ran"))

    def _say_savings(self, pipeline: Pipeline) -> None:
        if not self.options.format.needs_registry:
            return
        from headrace.demo.savings import savings

        found = savings(pipeline.bootstrap, self.options.format, pipeline.registry_url)
        for line in found.lines() if found else ():
            self.say(line)

    def _last_line(self, comparison: "Comparison", records: int) -> str:
        from headrace.demo.view import milliseconds

        latencies = self.ledger.latencies
        return (
            f"demo: source {comparison.source_rows} rows, topic {records} records, "
            f"target {comparison.target_rows} rows, lost {comparison.lost}, duplicated {comparison.duplicated}, "
            f"latency p50 {milliseconds(latencies.percentile(50))} p99 {milliseconds(latencies.percentile(99))}"
        )


def wrapped(line: str, width: int) -> str:
    """A line as a terminal shows it: broken between words, what follows below what it belongs to.

    >>> print(wrapped("source   here and there", 18))
    source   here and
             there
    """
    label = re.match(r"\S+\s+", line)
    indent = " " * (label.end() if label else 0)
    return textwrap.fill(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
