"""Runs Kafka's own tools, many command lines in one JVM, and makes their output comparable with ours."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import missing
from tests.kafka.cluster import JVM, class_path

PROGRAM = Path(__file__).with_name("ToolOracle.java")
CLASSES = {
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
    "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-configs": "kafka.admin.ConfigCommand",
}
# A line of a log or of a stack trace; what Java's clients tell of themselves; the class in front of a sentence.
_LOG = re.compile(r"^\d{4}-\d\d-\d\dT\S+ .*|^\tat .*|^\t\.\.\. \d+ more|^Caused by: .*|^(INFO|WARN|ERROR) .*")
_ADVERTISED = re.compile(r"^The consumer rebalance protocol \(KIP-848\) is production-ready!.*")
_CLASS = re.compile(r"^(Exception in thread \"\w+\" )?(\w+\.)+\w*(Exception|Error)(: |$)")
_TOPIC_ID = re.compile(r"TopicId: \S+")


@dataclass(frozen=True, slots=True)
class CommandLine:
    """One command as typed, its words and what it reads on standard input."""

    tool: str
    arguments: Sequence[str]
    stdin: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str

    def comparable(self) -> tuple[int, list[str], list[str]]:
        """Status and lines, without logs, stack traces and ids."""
        return self.status, _lines(self.out), _lines(self.err)


def run_in_java(commands: Iterable[CommandLine]) -> list[Ran]:
    """Run `commands` in order with Kafka's own tools."""
    if shutil.which("java") is None:
        missing("Java 17+ with its compiler is not on this machine: apt-get install default-jdk-headless")
    questions = "".join(
        json.dumps({"tool": CLASSES[one.tool], "arguments": list(one.arguments), "stdin": one.stdin}) + "\n"
        for one in commands
    )
    options = [*JVM, "-Duser.language=en", "-Duser.country=US", "-Duser.timezone=UTC", "-cp", class_path()]
    done = subprocess.run(
        ["java", *options, str(PROGRAM)],
        input=questions,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
        env={**os.environ, "TZ": "UTC"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [Ran(**json.loads(line)) for line in done.stdout.splitlines()]


def _lines(text: str) -> list[str]:
    kept = [line for line in text.splitlines() if not _LOG.match(line) and not _ADVERTISED.match(line)]
    lines = [_TOPIC_ID.sub("TopicId: ID", _CLASS.sub("", line)) for line in kept]
    # A sentence is printed once more as the head of its stack trace.
    return [
        line for number, line in enumerate(lines) if line.strip() and line not in lines[max(number - 1, 0) : number]
    ]
