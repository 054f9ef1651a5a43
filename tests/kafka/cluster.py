"""Apache Kafka itself, as the oracle: one KRaft node from the jars that `make test-kafka` fetches.

The node listens on free ports of the loopback interface, keeps its data where the caller says and is ready when
Metadata names it. An AppCDS archive beside the jars, made at the first clean stop, halves later starts.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from kafka.protocol.metadata import MetadataRequest

from tests.conftest import free_port, missing, need
from tests.contract.wire_client import WireClient

JVM = ("-Xmx256M", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
CLUSTER_ID = "4L6g3nShT-eMCtK--X86sw"

LOG4J = """\
rootLogger.level=WARN
rootLogger.appenderRefs=console
rootLogger.appenderRef.console.ref=CONSOLE
appenders=console
appender.console.type=Console
appender.console.name=CONSOLE
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=[%d] %p %m (%c)%n
"""


def libs() -> Path:
    """The directory of Apache Kafka's jars; skips where it is empty."""
    default = Path(__file__).parents[2] / "build" / "kafka" / "libs"
    path = Path(os.environ.get("HEADRACE_KAFKA_LIBS", default))
    if not list(path.glob("kafka_2.13-*.jar")):
        missing(f"Apache Kafka's jars are not in {path}: run `make test-kafka`, which fetches them")
    return path


def class_path() -> str:
    """Every jar by name, in a fixed order: an AppCDS archive is bound to the exact class path."""
    return os.pathsep.join(str(jar) for jar in sorted(libs().glob("*.jar")))


def java(main: str, *arguments: str, options: Sequence[str] = JVM) -> list[str]:
    """The command line that runs the Java class `main` of Apache Kafka."""
    return [need("java", "apt-get install default-jre-headless"), *options, "-cp", class_path(), main, *arguments]


def run_tool(main: str, *arguments: str, stdin: str = "", timeout_s: float = 60) -> str:
    """Run one of Java's tools to its end and give what it printed; fails with its errors where it fails."""
    done = subprocess.run(
        java(main, *arguments), input=stdin, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    if done.returncode != 0:
        raise AssertionError(f"{main} {' '.join(arguments)} ended with {done.returncode}: {done.stderr}{done.stdout}")
    return done.stdout


class KafkaNode:
    """One running node of Apache Kafka 4 (broker and controller in one process)."""

    def __init__(self, directory: Path, settings: Mapping[str, str] | None = None) -> None:
        self.directory = directory
        self.port = free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self._settings = dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._archive = libs().parent / "cluster.jsa"

    def format(self) -> None:
        """Write the configuration and format the storage; once, before the first start."""
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "log4j2.properties").write_text(LOG4J)
        properties = self.directory / "server.properties"
        properties.write_text("".join(f"{key}={value}\n" for key, value in self._properties().items()))
        run_tool("kafka.tools.StorageTool", "format", "--standalone", "-t", CLUSTER_ID, "-c", str(properties))

    def start(self, deadline_s: float = 60) -> None:
        """Start the process and wait until Metadata names the node."""
        with (self.directory / "node.log").open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log)
        deadline = time.monotonic() + deadline_s
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"Apache Kafka did not start: {(self.directory / 'node.log').read_text()[-4000:]}")
            time.sleep(0.1)

    def stop(self, deadline_s: float = 30) -> None:
        """SIGTERM, then SIGKILL after the deadline."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self.kill()
        self._keep_archive()

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def _properties(self) -> dict[str, str]:
        controller = free_port()
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}",
            "log.dirs": str(self.directory / "data"),
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            **self._settings,
        }

    def _command(self) -> list[str]:
        options = [*JVM, f"-Dlog4j2.configurationFile={self.directory / 'log4j2.properties'}", "-Xshare:auto"]
        if self._archive.exists():
            options.append(f"-XX:SharedArchiveFile={self._archive}")
        else:
            options.append(f"-XX:ArchiveClassesAtExit={self.directory / 'cluster.jsa'}")
        return java("kafka.Kafka", str(self.directory / "server.properties"), options=options)

    def _keep_archive(self) -> None:
        made = self.directory / "cluster.jsa"
        if made.exists() and not self._archive.exists():
            part = self._archive.with_suffix(f".{os.getpid()}")
            shutil.copyfile(made, part)
            part.replace(self._archive)

    def _answers(self) -> bool:
        with suppress(OSError), WireClient(self.bootstrap, timeout_s=5) as client:
            return [broker.node_id for broker in client.call(MetadataRequest(topics=[]), 12).brokers] == [1]
        return False


@contextmanager
def kafka_node(directory: Path, settings: Mapping[str, str] | None = None) -> Iterator[KafkaNode]:
    """A node of Apache Kafka that is stopped at the end."""
    node = KafkaNode(directory, settings)
    node.format()
    try:
        node.start()
        yield node
    finally:
        node.stop()
