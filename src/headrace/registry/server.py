"""RegistryServer: the state, the topic that it comes from, and who may write.

Thread rule: one thread, `writer`, writes and folds what is read into the state; whoever reads the state holds `lock`.
A change is planned, written and read back before it is answered, one after the other.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

from headrace.kafka_client.kafka_log import KafkaBasedLog, LogError, LogTimeout, RecordTooLarge
from headrace.kafka_client.settings import translate
from headrace.registry.catalog import Catalog
from headrace.registry.changes import Plan
from headrace.registry.config import RegistryConfig
from headrace.registry.errors import not_permitted, store_failed, timed_out, too_large, unknown_leader
from headrace.registry.leadership import Leader, Leadership
from headrace.registry.state import State

log = logging.getLogger(__name__)

STOP_S: Final = 3.0
LEADER_S: Final = 15.0
"""How long a write waits for the group's answer: a session timeout and a rebalance."""

Change = Callable[[Catalog], Plan]


class RegistryServer:
    """One registry. `start` waits for a broker; until it is through every request is refused."""

    def __init__(self, config: RegistryConfig, port: int) -> None:
        """`port` is the one that REST listens on: with the host's name it tells this registry from others."""
        self.config = config
        self.stage: str | None = f"Waiting for a broker at {','.join(config['kafkastore.bootstrap.servers'])}."
        self._topic = config.topic()
        client = translate("admin", config.client())
        self._timeout_s = config["kafkastore.timeout.ms"] / 1000
        self._log = KafkaBasedLog([self._topic], client, self._wake, config["kafkastore.timeout.ms"])
        instance = f"{config['host.name']}-{port}"
        self._leadership = Leadership(client, config["schema.registry.group.id"], instance, self._topic.name)
        self._catalog = Catalog(State(), config.level)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")

    # Start and stop.

    def start(self) -> bool:
        """Wait for a broker and read the topic; false where a stop came first.

        Raises ConfigError where the topic will not do, LogError where it cannot be read.
        """
        if not self._log.wait_for_broker(self._stopping):
            return False
        self.stage = f"Reading the topic {self._topic.name}."
        self._log.open()
        self._leadership.start()
        self._writer.submit(self._catch_up, self.config["kafkastore.init.timeout.ms"] / 1000).result()
        self.stage = None
        return True

    def interrupt(self) -> None:
        """End a `start`, and whatever waits for the brokers; called by any thread."""
        self._stopping.set()
        self._log.interrupt()

    def stop(self) -> None:
        """Stop within known time (invariant 6)."""
        self.stage = "The registry is stopping."
        self.interrupt()
        self._writer.shutdown(wait=False, cancel_futures=True)
        self._leadership.stop(STOP_S)
        self._log.close(STOP_S)

    # Requests.

    @contextmanager
    def reading(self) -> Iterator[Catalog]:
        """The state, held still. Raises RegistryError where it is not there yet."""
        if self.stage is not None:
            raise store_failed(self.stage)
        with self._lock:
            yield self._catalog

    def change(self, plan: Change, what: str) -> "Future[Any]":
        """Carry out a change; `what` names it where it fails, such as `Register schema operation`."""
        if self.stage is not None:
            raise store_failed(self.stage)
        return self._writer.submit(self._carry_out, plan, what)

    @property
    def cluster_id(self) -> str:
        return self._log.cluster_id

    def check_modes_may_change(self) -> None:
        if not self.config["mode.mutability"]:
            raise not_permitted("Mode changes are not allowed")

    # The writer's thread.

    def _carry_out(self, change: Change, what: str) -> Any:
        self._must_lead()
        try:
            self._catch_up(self._timeout_s)
            with self._lock:
                plan = change(self._catalog)
            if plan.records:
                self._log.write(self._topic.name, plan.records, self._timeout_s)
                self._catch_up(self._timeout_s)
        except RecordTooLarge as error:
            raise too_large(f"{what} failed because schema is too large: {error}") from error
        except LogTimeout as error:
            raise timed_out(f"{what} timed out: {error}") from error
        except LogError as error:
            raise store_failed(f"{what} failed while writing to the Kafka store: {error}") from error
        with self._lock:
            if not plan.holds(self._catalog.state):
                raise store_failed(f"{what} failed: another registry wrote to {self._topic.name} at the same time")
        return plan.answer

    def _must_lead(self) -> None:
        leader = self._leadership.wait(LEADER_S)
        if leader is Leader.OTHER:
            group = self.config["schema.registry.group.id"]
            raise unknown_leader(
                f"Another registry of the group {group} writes to {self._topic.name}; this one answers what is read: "
                "send what is written to the other, or stop it"
            )
        if leader is Leader.UNKNOWN:
            raise unknown_leader(f"The brokers have not said within {LEADER_S:g} s which registry writes")

    def _catch_up(self, deadline_s: float) -> None:
        self._log.read_to_end([self._topic.name], deadline_s)
        self._fold()

    def _fold(self) -> None:
        with self._lock:
            for record in self._log.take():
                self._catalog.state.apply(record.key, record.value)

    def _wake(self) -> None:
        try:
            self._writer.submit(self._fold)
        except RuntimeError:
            if not self._stopping.is_set():
                raise
