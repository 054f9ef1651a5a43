"""Our broker as users run it: a process of its own, on a free port, ready when Metadata names it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from kafka.protocol.metadata import MetadataRequest

from tests.conftest import free_port
from tests.contract.wire_client import WireClient


class BrokerProcess:
    """One `headrace broker` process; it can be killed and started again on the same directory and port."""

    def __init__(self, directory: Path, settings: Mapping[str, str] | None = None, port: int | None = None) -> None:
        self.directory = directory
        self.port = port or free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self._settings = dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.directory / "broker.log").read_text()

    def start(self, deadline_s: float = 20) -> None:
        """Start the process and wait until Metadata names the broker."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + deadline_s
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the broker did not start: {self.log[-4000:]}")
            time.sleep(0.02)

    def stop(self, deadline_s: float = 15) -> int:
        """SIGTERM; gives the exit status. Fails where the broker does not end by the deadline."""
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            return self._process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the broker did not stop within {deadline_s} s: {self.log[-4000:]}") from None

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _command(self) -> list[str]:
        program = str(Path(sys.executable).parent / "headrace")
        command = [program, "broker", "--data-dir", str(self.directory / "data")]
        if "listeners" not in self._settings:
            command += ["--listener", f"PLAINTEXT://{self.bootstrap}"]
        for key, value in self._settings.items():
            command += ["--set", f"{key}={value}"]
        return command

    def _answers(self) -> bool:
        with suppress(OSError), WireClient(self.bootstrap, timeout_s=5) as client:
            return len(client.call(MetadataRequest(topics=[]), 12).brokers) == 1
        return False


@contextmanager
def broker_process(
    directory: Path, settings: Mapping[str, str] | None = None, port: int | None = None
) -> Iterator[BrokerProcess]:
    """Our broker, stopped at the end; `port` is one of its own where the settings have `listeners`."""
    broker = BrokerProcess(directory, settings, port)
    try:
        broker.start()
        yield broker
    finally:
        if os.environ.get("HEADRACE_SHOW_BROKER_LOG"):
            sys.stderr.write(broker.log)
        broker.stop()
