"""Runs Kafka's own tools, many command lines in one JVM, and makes their output comparable with ours."""

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
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
_CLASS = re.compile(r"^(Exception in thread \"\w+\" )?((\w+\.)+\w*(Exception|Error)(: |$))+")
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
        return self.status, _lines(self.out), _lines(self.err, told=self.out)


class JavaTools:
    """A JVM that runs Kafka's own tools one after another."""

    def __init__(self) -> None:
        if shutil.which("java") is None:
            missing("Java 17+ with its compiler is not on this machine: apt-get install default-jdk-headless")
        options = [*JVM, "-Duser.language=en", "-Duser.country=US", "-Duser.timezone=UTC", "-cp", class_path()]
        self._process = subprocess.Popen(
            ["java", *options, str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def run(self, command: CommandLine) -> Ran:
        """Run `command` with Kafka's own tool."""
        assert self._process.stdin is not None and self._process.stdout is not None
        question = {"tool": CLASSES[command.tool], "arguments": list(command.arguments), "stdin": command.stdin}
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the JVM ended at {command}"
        return Ran(**json.loads(answer))

    def close(self) -> None:
        """End the JVM."""
        self._process.kill()
        self._process.communicate()


def _lines(text: str, told: str = "") -> list[str]:
    """The lines that count; the head of a stack trace whose sentence was `told` already is none of them."""
    kept = [line for line in text.splitlines() if not _LOG.match(line) and not _ADVERTISED.match(line)]
    kept = [line for line in kept if not (_CLASS.match(line) and _CLASS.sub("", line) in told)]
    lines = [_TOPIC_ID.sub("TopicId: ID", _CLASS.sub("", line)) for line in kept]
    return [
        line for number, line in enumerate(lines) if line.strip() and line not in lines[max(number - 1, 0) : number]
    ]
