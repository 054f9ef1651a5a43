"""Java's own tools, run on our broker and on Apache Kafka side by side: what they print must be the same.

An AppCDS archive beside the jars, made by the first command, halves the time of later ones.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.kafka.cluster import JVM, LOG4J, java, libs

TOPICS = "org.apache.kafka.tools.TopicCommand"
CONFIGS = "kafka.admin.ConfigCommand"
GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
OFFSETS = "org.apache.kafka.tools.GetOffsetShell"
LOG_DIRS = "org.apache.kafka.tools.LogDirsCommand"
DELETE_RECORDS = "org.apache.kafka.tools.DeleteRecordsCommand"

_TOPIC_ID = re.compile(r"(TopicId: )\S{22}")
_EXCEPTION_AT = re.compile(r"^\s+at .*\n", re.MULTILINE)
_LOG_TIME = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\]")


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command printed, without ids, addresses and stack traces, and its exit status."""

    status: int
    out: str
    errors: str


class Tools:
    """`bootstraps` are the servers to be compared, by name."""

    def __init__(self, bootstraps: Mapping[str, str], directory: Path) -> None:
        self._bootstraps = bootstraps
        self._log4j = directory / "log4j2.properties"
        self._log4j.write_text(LOG4J)
        self._archive = libs().parent / "tools.jsa"
        if not self._archive.exists():
            self._make_archive()

    def same(self, main: str, *arguments: str) -> Printed:
        """Run the tool on each server at once; what it printed, where it is the same."""
        printed = self.each(main, *arguments)
        assert all(one == printed[0] for one in printed), f"{main} {' '.join(arguments)}: {printed}"
        return printed[0]

    def each(self, main: str, *arguments: str) -> list[Printed]:
        """Run the tool on each server at once; what it printed on each."""
        with ThreadPoolExecutor() as pool:
            return list(pool.map(lambda bootstrap: self.run(bootstrap, main, *arguments), self._bootstraps.values()))

    def run(self, bootstrap: str, main: str, *arguments: str) -> Printed:
        """Run the tool on one server."""
        options = [f"-XX:SharedArchiveFile={self._archive}"] if self._archive.exists() else []
        done = self._java(options, bootstrap, main, *arguments)
        return Printed(done.returncode, _normal(done.stdout, bootstrap), _normal(done.stderr, bootstrap))

    def _java(
        self, options: list[str], bootstrap: str, main: str, *arguments: str
    ) -> "subprocess.CompletedProcess[str]":
        options = [*JVM, f"-Dlog4j2.configurationFile={self._log4j}", *options]
        command = java(main, "--bootstrap-server", bootstrap, *arguments, options=options)
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    def _make_archive(self) -> None:
        part = self._archive.with_suffix(f".{os.getpid()}")
        bootstrap = next(iter(self._bootstraps.values()))
        self._java([f"-XX:ArchiveClassesAtExit={part}"], bootstrap, TOPICS, "--list")
        if part.exists():
            part.replace(self._archive)


def _normal(text: str, bootstrap: str) -> str:
    text = _EXCEPTION_AT.sub("", _TOPIC_ID.sub(r"\1<id>", text)).replace(bootstrap, "<broker>")
    return _LOG_TIME.sub("<time>", text)
