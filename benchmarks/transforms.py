"""What transformations, predicates and converters cost: in columns, row by row, and in Kafka Connect's own classes.

Records a second of one core (CPU time of the process), the best of four rounds, of the same records on both
sides; Java's classes run warm, with a single-threaded collector. Every plug-in with a Java name is measured
(`subjects.py` has settings and records). Run: make bench-transforms [ONLY=part-of-a-name]
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterable
from typing import Any, Final

import pytest
from tests.oracle.forms import record_form
from tests.oracle.java import java_command

from benchmarks.stage_lines import SAMPLE, Line, Work, all_lines
from benchmarks.subjects import RECORDS, ROWS

ROUNDS: Final = 4
ROUND_S: Final = 0.2
WANTED: Final = 5.0
"""How many times Java's speed a column form should reach."""
JAVA_OPTIONS: Final = ("-XX:+UseSerialGC", "-Xms1g", "-Xmx1g")


def rate(work: Work, records: int) -> float:
    """Records a second of CPU time, the best of ROUNDS, for work on that many records."""
    work()
    return max(_round(work, records) for _ in range(ROUNDS))


def _round(work: Work, records: int) -> float:
    done, start, used = 0, time.process_time(), 0.0
    while used < ROUND_S:
        work()
        done += records
        used = time.process_time() - start
    return done / used


class Java:
    """The program that measures Kafka Connect's classes; it keeps the records it was given."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        command = java_command("ConnectBench", *JAVA_OPTIONS)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def rate(self, line: Line) -> float:
        if line.on not in self._known:
            self._known.add(line.on)
            self._ask({"name": line.on, "records": [record_form(record) for record in RECORDS[line.on]().records()]})
        return self._ask(line.question | {"on": line.on})

    def _ask(self, question: dict[str, Any]) -> float:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return float(json.loads(self._process.stdout.readline())["ok"])

    def close(self) -> None:
        with self._process:
            pass


def java() -> Java | None:
    """Java where it is; else the reason is printed, and the table goes without."""
    try:
        return Java()
    except (pytest.skip.Exception, pytest.fail.Exception) as error:
        print(f"Without Java's figures: {error}", file=sys.stderr)
        return None


def table(lines: Iterable[Line]) -> dict[str, dict[str, float]]:
    """Prints a line as soon as it is measured."""
    peer = java()
    result: dict[str, dict[str, float]] = {}
    print(f"{'records a second':46} {'columns':>13} {'rows':>11} {'Java':>12} {'columns/Java':>13}")
    for line in lines:
        rates = {"rows": rate(line.rows, SAMPLE)}
        if line.columns is not None:
            rates["columns"] = rate(line.columns, ROWS)
        if peer is not None:
            rates["java"] = peer.rate(line)
        result[line.name] = {way: round(found) for way, found in rates.items()}
        print(shown(line.name, rates), flush=True)
    if peer is not None:
        peer.close()
    return result


def shown(name: str, rates: dict[str, float]) -> str:
    cells = [f"{rates[way]:,.0f}" if way in rates else "-" for way in ("columns", "rows", "java")]
    ratio = rates["columns"] / rates["java"] if {"columns", "java"} <= rates.keys() else None
    mark = "-" if ratio is None else f"{ratio:.1f}" + (" " if ratio >= WANTED else "*")
    return f"{name:46} {cells[0]:>13} {cells[1]:>11} {cells[2]:>12} {mark:>13}"


def main() -> None:
    result = table(all_lines(sys.argv[1] if len(sys.argv) > 1 else ""))
    print(f"* less than {WANTED:g} times Java")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
