"""Asks Apache Kafka's own Connect classes, and Java's own, what they make of a question."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.conftest import missing

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("ConnectOracle.java")
STANDALONE = Path(__file__).with_name("StandaloneOracle.java")
SETTINGS = ("-Duser.language=en", "-Duser.country=US", "-Duser.timezone=UTC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


def ask(questions: Iterable[dict[str, Any]], program: Path = PROGRAM) -> list[dict[str, Any]]:
    """The answers of one run of a program: {"ok": ...} or {"error": ...} for each question.

    Skips with the reason where there is no Java compiler or no jars of Apache Kafka.
    """
    libs = Path(os.environ.get("HEADRACE_KAFKA_LIBS", ROOT / "build" / "kafka" / "libs"))
    if shutil.which("java") is None or not _has_compiler():
        missing("a Java 17+ with its compiler is not on this machine: apt-get install default-jdk-headless")
    if not list(libs.glob("connect-json-*.jar")):
        missing(f"the jars of Apache Kafka are not in {libs}: make test-kafka fetches them")
    command = ["java", *SETTINGS, "-cp", f"{libs}/*", str(program)]
    text = "".join(json.dumps(question) + "\n" for question in questions)
    run = subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=150, check=False, encoding="utf-8"
    )
    assert run.returncode == 0, run.stderr[-2_000:]
    return [json.loads(line) for line in run.stdout.splitlines()]


def _has_compiler() -> bool:
    modules = subprocess.run(["java", "--list-modules"], capture_output=True, text=True, timeout=60, check=False)
    return "jdk.compiler" in modules.stdout
