"""A standalone worker: no group, no internal topics; connectors from files and REST, source offsets in a file.

Thread rule: as in `server`. Offsets that tasks commit are written by the pool's thread, since the herder's waits for
the pool when the worker stops, and the last offsets come just then.
"""

from collections.abc import Callable
from pathlib import Path

from headrace.connect.runtime import messages
from headrace.connect.runtime.assignment import COMPATIBLE, Assignment, Snapshot
from headrace.connect.runtime.herder import Group
from headrace.connect.runtime.hosts import HostDied, HostPool
from headrace.connect.runtime.membership import Joined, Left
from headrace.connect.runtime.messages import STANDALONE, ToWorker
from headrace.connect.runtime.server import ConnectServer, ServerLog
from headrace.connect.stores.backing import BackingStores
from headrace.connect.stores.offset import offset_record
from headrace.connect.stores.offset_file import KEY
from headrace.connect.stores.standalone_log import TOPICS, StandaloneLog
from headrace.kafka_client.kafka_log import LogError


class SoleMember:
    """A group of one that meets nobody: all work is this worker's, as soon as it is there."""

    def __init__(self, url: str, listener: Callable[[Joined | Left], None]) -> None:
        self._url = url
        self._listener = listener

    def start(self, snapshot: Snapshot) -> None:
        self.update(snapshot, rejoin=True)

    def update(self, snapshot: Snapshot, *, rejoin: bool) -> None:
        if rejoin:
            all_work = tuple(snapshot.configured())
            held = Assignment(COMPATIBLE, "standalone", self._url, snapshot.config_offset, all_work)
            self._listener(Joined(0, True, held))

    def stop(self, deadline_s: float) -> None:
        """There is nobody to leave."""


class StandaloneServer(ConnectServer):
    """One worker by itself; made with a configuration that was read as a standalone one's."""

    def _make_stores(self) -> tuple[ServerLog, BackingStores]:
        self._offsets_log = StandaloneLog(Path(self.config[KEY]), self._client, self._wake)
        return self._offsets_log, BackingStores(self._offsets_log, TOPICS)

    def _group(self, listener: Callable[[Joined | Left], None]) -> Group:
        return SoleMember(f"http://{self.worker_id}/", listener)

    def _make_pool(self, listener: Callable[[ToWorker | HostDied], None]) -> HostPool:
        def heard(message: ToWorker | HostDied) -> None:
            if isinstance(message, messages.WriteOffsets):
                pool.answer(self._write(message))
            else:
                listener(message)

        properties = {**self.config.properties, STANDALONE: "true"}
        pool = HostPool(properties, heard, self.config["headrace.task.hosts"])
        return pool

    def _write(self, asked: messages.WriteOffsets) -> messages.OffsetsWritten:
        try:
            self._offsets_log.write("offset", [offset_record(asked.connector, asked.partition, asked.offset)])
        except (LogError, TypeError, ValueError) as error:
            return messages.OffsetsWritten(asked.request, str(error))
        return messages.OffsetsWritten(asked.request)
