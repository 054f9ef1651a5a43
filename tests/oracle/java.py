"""Asks Apache Kafka's own Connect classes, and Java's own, what they make of a question.

The programs in `java/` answer one JSON question a line. `ConnectOracle` knows these (`plugin` is {"class", "config"},
for converters with "key": true for keys and "header": true for header converters; schemas, values and records are in
the form of `forms.py`):

    {"op": "transform", "plugin", "record", "predicate"?: plugin, "negate"?}  the record, or null where it was dropped
    {"op": "predicate", "plugin", "record"}                                   true or false
    {"op": "fromConnect", "plugin", "topic"?, "name"?, "schema", "value"}     the payload in base 64, or null
    {"op": "toConnect", "plugin", "topic"?, "name"?, "payload"}               [schema, value]
    {"op": "values", "method", "schema"?, "value", "scale"?}                  what a method of `Values` gives
    {"op": "format", "pattern", "ms"} and {"op": "parse", "pattern", "text"}  SimpleDateFormat, in UTC

Each answer is {"ok": ...} or {"error": message, "class": simple name of the exception}; a refused configuration has
"configuration": true and the "key" that the message names; "invalid" says that Connect cannot hold what was asked.
One Java process serves a whole test run.
"""

import atexit
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from threading import Thread
from typing import Any

from tests.conftest import missing

ROOT = Path(__file__).parents[2]
SOURCES = Path(__file__).with_name("java")
CONNECT, STANDALONE, CHAIN = "ConnectOracle", "StandaloneOracle", "ChainOracle"
QUICK_START = ("-XX:TieredStopAtLevel=1", "-Xshare:auto")
SETTINGS = ("-Duser.language=en", "-Duser.country=US", "-Duser.timezone=UTC", "-Dlog4j2.level=OFF")


def ask(questions: Iterable[dict[str, Any]], program: str = CONNECT) -> list[dict[str, Any]]:
    """The answers of a program, in order.

    Skips with the reason where there is no Java compiler or no jars of Apache Kafka.
    """
    return _running(program).ask(list(questions))


class _Program:
    """One Java process that answers lines."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        atexit.register(self.close)

    def ask(self, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        # Another thread writes: with both pipes full, each side would wait for the other to read.
        writer = Thread(target=self._write, args=(questions,))
        writer.start()
        assert self._process.stdout is not None
        lines = [self._process.stdout.readline() for _ in questions]
        writer.join()
        assert all(lines), f"the Java program ended: {self._process.poll()}"
        return [json.loads(line) for line in lines]

    def _write(self, questions: list[dict[str, Any]]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("".join(json.dumps(question) + "\n" for question in questions))
        self._process.stdin.flush()

    def close(self) -> None:
        with self._process:
            pass


@cache
def _running(program: str) -> _Program:
    return _Program(java_command(program))


def java_command(program: str, *options: str) -> list[str]:
    """The command that runs a program of `java/`, compiled where its sources have changed."""
    libs = Path(os.environ.get("HEADRACE_KAFKA_LIBS", ROOT / "build" / "kafka" / "libs"))
    if shutil.which("java") is None or not _has_compiler():
        missing("a Java 17+ with its compiler is not on this machine: apt-get install default-jdk-headless")
    if not list(libs.glob("connect-json-*.jar")):
        missing(f"the jars of Apache Kafka are not in {libs}: make test-kafka fetches them")
    classes = _compiled(libs)
    return ["java", *SETTINGS, *(options or QUICK_START), "-cp", f"{libs}/*:{classes}", program]


@cache
def _compiled(libs: Path) -> Path:
    sources = sorted(SOURCES.glob("*.java"))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    classes = ROOT / "build" / "oracle" / digest
    if not classes.exists():
        classes.parent.mkdir(parents=True, exist_ok=True)
        made = mkdtemp(dir=classes.parent)
        jars = ":".join(map(str, libs.glob("*.jar")))
        command = ["java", "-m", "jdk.compiler/com.sun.tools.javac.Main", "-nowarn", "-cp", jars, "-d", made]
        run = subprocess.run([*command, *map(str, sources)], capture_output=True, text=True, timeout=150, check=False)
        assert run.returncode == 0, run.stderr[-2_000:]
        try:
            Path(made).rename(classes)
        except OSError:  # Another run was quicker.
            shutil.rmtree(made)
    return classes


def _has_compiler() -> bool:
    modules = subprocess.run(["java", "--list-modules"], capture_output=True, text=True, timeout=60, check=False)
    return "jdk.compiler" in modules.stdout
