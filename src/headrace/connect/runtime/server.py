"""ConnectServer: a worker put together: log, stores, membership, task hosts and herder.

Thread rule: `start` and `stop` are called by one thread, in this order; all else by any thread.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from importlib.metadata import version
from typing import Protocol

from headrace.connect.client.network import network_settings
from headrace.connect.runtime.connector_log import ConnectorLogs, LogSender, connectors_of
from headrace.connect.runtime.connector_requests import ConnectorRequests
from headrace.connect.runtime.herder import Group, Herder
from headrace.connect.runtime.hosts import HostDied, HostPool
from headrace.connect.runtime.membership import GroupSettings, Joined, Left, Membership
from headrace.connect.runtime.messages import LogLine, ToWorker
from headrace.connect.runtime.offset_requests import OffsetRequests
from headrace.connect.runtime.worker_config import WorkerConfig
from headrace.connect.stores.backing import BackingStores, Log
from headrace.kafka_client.kafka_log import KafkaBasedLog
from headrace.kafka_client.settings import translate, worker_settings

log = logging.getLogger(__name__)


class ServerLog(Log, Protocol):
    """What keeps the records of the stores, and knows the cluster."""

    cluster_id: str

    def wait_for_broker(self, stopping: threading.Event) -> bool: ...


class ConnectServer:
    """One worker. `start` waits for a broker; the requests wait until the worker has joined its group."""

    def __init__(self, config: WorkerConfig, port: int | None = None) -> None:
        """`port` is the one that REST listens on, where the configuration leaves it open."""
        self.config = config
        self.commit = "headrace-" + version("headrace")
        self.stage = "The worker is starting up."
        host, advertised = config.advertised(port)
        self.worker_id = f"{host}:{advertised}"
        self._client = translate("admin", worker_settings(config.properties))
        self._log, stores = self._make_stores()
        self._stopping = threading.Event()
        self.logs = ConnectorLogs()
        self._log_handler = LogSender(self._note_line)
        logging.getLogger().addHandler(self._log_handler)
        self.herder = Herder(config, self.worker_id, stores, self._hosts, self._group)
        self.connectors = ConnectorRequests(self.herder)
        self.offsets = OffsetRequests(self.herder, self._client)

    @property
    def cluster_id(self) -> str:
        return self._log.cluster_id

    @property
    def ready(self) -> bool:
        """Whether the worker has read its topics and joined its group."""
        return self.herder.assignment is not None

    @property
    def masks_secrets(self) -> bool:
        return bool(self.config["headrace.rest.mask.secrets"])

    def start(self) -> bool:
        """Wait for a broker, read the topics and begin to join; false where a stop came first.

        Raises ConfigError where the brokers refuse a topic, LogError where one cannot be read.
        """
        self.stage = f"Waiting for a broker at {','.join(self.config['bootstrap.servers'])}."
        if not self._log.wait_for_broker(self._stopping):
            return False
        self.stage = "Reading the internal topics."
        self.herder.stores.open()
        self.stage = "Joining the group."
        self.herder.start()
        return True

    def wait_ready(self, seconds: float) -> bool:
        """Wait until the worker has joined its group; false where it has not in that time."""
        joined: Future[None] = self.herder.submit(lambda future: future.set_result(None))
        try:
            joined.result(seconds)
        except TimeoutError:
            return False
        return True

    def interrupt(self) -> None:
        """End a `start` that waits for a broker; called by any thread."""
        self._stopping.set()
        self._log.interrupt()

    def stop(self) -> None:
        """Stop all work in an orderly way, within known time (invariant 6)."""
        self._stopping.set()
        self.herder.stop()
        logging.getLogger().removeHandler(self._log_handler)

    def _make_stores(self) -> tuple[ServerLog, BackingStores]:
        topics = self.config.topics()
        log = KafkaBasedLog(list(topics.values()), self._client, self._wake)
        return log, BackingStores(log, topics)

    def _wake(self) -> None:
        self.herder.post(lambda: None)

    def _hosts(self, listener: Callable[[ToWorker | HostDied], None]) -> HostPool:
        """The pool; its first host is started now, for the libraries it loads take longer than all else here."""

        def heard(message: ToWorker | HostDied) -> None:
            if isinstance(message, LogLine):
                self._note_line(message)
            else:
                listener(message)

        pool = self._make_pool(heard)
        pool.plugins().add_done_callback(self._note_versions)
        return pool

    def _make_pool(self, listener: Callable[[ToWorker | HostDied], None]) -> HostPool:
        return HostPool(self.config.properties, listener, self.config["headrace.task.hosts"])

    def _note_line(self, line: LogLine) -> None:
        for connector in connectors_of(line, list(self.herder.stores.config.connectors)):
            self.logs.add(replace(line, connector=connector))

    def _note_versions(self, done: "Future[tuple[Mapping[str, str], ...]]") -> None:
        error = done.exception()
        if error is not None:
            log.warning("The versions of the plug-ins are not known: %s", error)
            return
        versions = {plugin["class"]: plugin.get("version", "") for plugin in done.result()}
        self.herder.post(lambda: self.herder.versions.update(versions))

    def _group(self, listener: Callable[[Joined | Left], None]) -> Group:
        settings = GroupSettings(
            bootstrap=self._client["bootstrap.servers"],
            group_id=self.config["group.id"],
            url=f"http://{self.worker_id}/",
            client_id=self.config["client.id"] or f"connect-{self.worker_id}",
            protocol=self.config["connect.protocol"],
            session_timeout_ms=self.config["session.timeout.ms"],
            heartbeat_interval_ms=self.config["heartbeat.interval.ms"],
            rebalance_timeout_ms=self.config["rebalance.timeout.ms"],
            client=network_settings(self._client),
        )
        return Membership(settings, listener)
