"""Herder: keeps the worker's part of the Connect cluster as the config topic and the group want it.

Thread rule: one thread owns all state here: the stores, the worker's units and the assignment. Everybody else (REST,
the membership's thread, the pool's thread, the log's reader) puts a job into its mailbox.
After each job it folds what came from the topics and acts on it: joins the group anew where connectors or task counts
changed, and brings the units in line with assignment, configs and target states.
"""

import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, Protocol, TypeVar

from headrace.connect.runtime import messages
from headrace.connect.runtime.assignment import SESSIONED, Assignment, Snapshot
from headrace.connect.runtime.errors import Conflict, RequestError, Unavailable
from headrace.connect.runtime.hosts import HostDied, RequestFailed
from headrace.connect.runtime.membership import Joined, Left
from headrace.connect.runtime.messages import TaskId
from headrace.connect.runtime.restart_policy import RestartPolicy
from headrace.connect.runtime.worker import Pool, Unit, Wanted, Worker
from headrace.connect.runtime.worker_config import WorkerConfig
from headrace.connect.stores import config as configs
from headrace.connect.stores.backing import BackingStores
from headrace.connect.stores.codec import Record
from headrace.connect.stores.config import RestartRequest, SessionKey, TargetState, Update
from headrace.connect.stores.status import Status, TopicUse
from headrace.kafka_client.kafka_log import LogError

log = logging.getLogger(__name__)

TICK_S: Final = 1.0
CLOSING_S: Final = 3.0
T = TypeVar("T")


class Hosts(Pool, Protocol):
    """What the herder needs of the pool of task hosts."""

    def task_configs(self, connector: str, max_tasks: int) -> "Future[tuple[Mapping[str, str], ...]]": ...

    def validate(self, config: Mapping[str, Any], *, connect: bool) -> "Future[messages.Validation]": ...
    def definition(self, stage: str) -> "Future[tuple[Mapping[str, Any], ...]]": ...

    def answer(self, offsets: messages.Offsets) -> None: ...

    def stop(self, deadline_ms: int) -> None: ...


class Group(Protocol):
    """What the herder needs of the membership."""

    def start(self, snapshot: Snapshot) -> None: ...

    def update(self, snapshot: Snapshot, *, rejoin: bool) -> None: ...

    def stop(self, deadline_s: float) -> None: ...


class Herder:
    """`start` once, `stop` once. `submit` runs a function on the herder's thread, when the worker has joined."""

    def __init__(
        self,
        config: WorkerConfig,
        worker_id: str,
        stores: BackingStores,
        hosts: Callable[[Callable[[messages.ToWorker | HostDied], None]], Hosts],
        group: Callable[[Callable[[Joined | Left], None]], Group],
    ) -> None:
        """`hosts` and `group` make the pool and the membership, given where their messages go."""
        self.config = config
        self.worker_id = worker_id
        self.stores = stores
        self.versions: dict[str, str] = {}
        """The version of each connector class that is known."""
        self.assignment: Assignment | None = None
        self.leads = False
        self._mailbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._questions: dict[Callable[[], None], bool] = {}
        self._news = threading.Event()
        self._waiting: list[Callable[[], None]] = []
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._rejoin = self._changed = self._untidy = False
        self._swept: set[TaskId] = set()
        self._used: set[tuple[str, str]] = set()
        self._stopping = threading.Event()
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="herder-aside")
        self._writes = ThreadPoolExecutor(1, thread_name_prefix="herder-writes")
        self.hosts = hosts(lambda message: self.post(lambda: self._from_host(message)))
        self._group = group(lambda event: self.post(lambda: self._from_group(event)))
        policy = RestartPolicy(
            config["headrace.restart.backoff.ms"] / 1000, config["headrace.restart.backoff.max.ms"] / 1000
        )
        self.worker = Worker(self.hosts, self._unit_changed, policy, config["task.shutdown.graceful.timeout.ms"])
        self._thread = threading.Thread(target=self._run, name="herder", daemon=True)

    # Called by any thread.

    def start(self) -> None:
        """The stores are open: join the group and go to work."""
        self._thread.start()
        self._group.start(self._snapshot())

    def stop(self) -> None:
        """Stop all work, say so in the status topic, leave the group. Ends within known time (invariant 6)."""
        self._stopping.set()
        self.stores.interrupt()
        self._mailbox.put(None)
        if self._thread.is_alive():
            self._thread.join()
        elif self._thread.ident is None:
            self.hosts.stop(0)
            self.stores.close(CLOSING_S)
        for threads in (self._aside, self._writes):
            threads.shutdown(wait=False, cancel_futures=True)

    def post(self, job: Callable[[], None]) -> None:
        """Run a job on the herder's thread."""
        self._mailbox.put(job)

    def submit(self, work: "Callable[[Future[T]], None]", *, changes: bool = True) -> "Future[T]":
        """Run `work` on the herder's thread once the worker has joined; it, or what it sets off, ends the future.

        What `changes` nothing is also run while a write is waited for.
        """
        future: Future[T] = Future()

        def job() -> None:
            if self.assignment is None and not self._stopping.is_set():
                self._waiting.append(job)
            elif future.set_running_or_notify_cancel() and not self._refused(future):
                self.guard(future, lambda: work(future))

        if not self._refused(future):
            (self.post if changes else self._post_question)(job)
        return future

    def ask(self, question: Callable[[], T]) -> "Future[T]":
        """The answer of a question about the state, which the herder's thread asks. Needs no group."""
        future: Future[T] = Future()

        def job() -> None:
            if future.set_running_or_notify_cancel():
                self.guard(future, lambda: future.set_result(question()))

        if not self._refused(future):
            self._post_question(job)
        return future

    def _post_question(self, job: Callable[[], None]) -> None:
        self._questions[job] = True
        self._news.set()
        self.post(lambda: self._answer(job))

    def _refused(self, future: "Future[Any]") -> bool:
        """Whether the worker stops: the future has failed then."""
        if self._stopping.is_set():
            future.set_exception(Unavailable("The worker is shutting down"))
        return self._stopping.is_set()

    def guard(self, future: "Future[T]", work: Callable[[], None]) -> None:
        """Run `work`; where it fails the future does."""
        try:
            work()
        except (RequestError, RequestFailed) as error:
            future.set_exception(error)
        except LogError as error:
            future.set_exception(RequestError(str(error)))
        except Exception as error:
            log.exception("A request failed")
            future.set_exception(RequestError(f"{type(error).__name__}: {error}"))

    def then(
        self, awaited: "Future[Any]", future: "Future[T]", work: Callable[[Any], None], *, changes: bool = True
    ) -> None:
        """When `awaited` is done, run `work` with its result on the herder's thread; its failure is the future's."""
        post = self.post if changes else self._post_question
        awaited.add_done_callback(lambda done: post(lambda: self.guard(future, lambda: work(done.result()))))

    def aside(self, future: "Future[T]", wait: Callable[[], Any], work: Callable[[Any], None]) -> None:
        """Wait for the outside (`wait`) in another thread, then run `work` with the outcome on the herder's."""
        self.then(self._aside.submit(wait), future, work)

    # Called by the herder's thread alone.

    def write_config(self, *records: Record, as_leader: bool = True) -> None:
        """Write to the config topic and fold what was written. Raises LogError.

        Raises Conflict where another worker leads, and only the leader may write these records.
        """
        if as_leader and not self.leads and self.assignment is not None:
            raise Conflict(
                "Cannot complete request: only the leader of the Connect cluster changes configurations, and that is "
                f"the worker at {self.assignment.leader_url}; send the request there"
            )
        self.write(lambda: self.stores.write_config(records))
        self._fold()

    def write(self, work: Callable[[], None]) -> None:
        """Wait for `work`, which writes to the topics. Raises LogError.

        The brokers may be away for half a minute: what only asks is answered meanwhile, for nothing changes the state.
        """
        written = self._writes.submit(work)
        written.add_done_callback(lambda _: self._news.set())
        while not written.done():
            self._news.wait(TICK_S)
            self._news.clear()
            for question in list(self._questions):
                self._answer(question)
        written.result()

    def _answer(self, question: Callable[[], None]) -> None:
        """In its turn, or while a write is waited for: once."""
        if self._questions.pop(question, False):
            question()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._turn()
            except LogError as error:
                log.error("The herder goes on after: %s", error)
            except Exception:
                log.exception("The herder goes on after a failure")
        self._shut_down()

    def _turn(self) -> None:
        try:
            job = self._mailbox.get(timeout=self._patience())
            while job is not None:
                job()
                job = self._mailbox.get_nowait()
        except queue.Empty:
            pass
        due = [job for at, job in self._later if at <= time.monotonic()]
        self._later = [each for each in self._later if each[1] not in due]
        for job in due:
            job()
        self.worker.tick()
        self._fold()
        self._act()

    def _patience(self) -> float:
        deadline = self.worker.next_deadline()
        return TICK_S if deadline is None else min(TICK_S, max(0.0, deadline - time.monotonic()))

    def later(self, delay_s: float, job: Callable[[], None]) -> None:
        """Run a job on this thread, about so much later."""
        self._later.append((time.monotonic() + delay_s, job))

    def _fold(self) -> None:
        for update in self.stores.fold():
            self._updated(update)

    def _updated(self, update: Update) -> None:
        """Note what a record of the config topic asks for."""
        match update:
            case configs.ConnectorUpdated(connector, new):
                log.info("Connector %s %s", connector, "is new" if new else "has a new configuration")
                self._rejoin |= new
            case configs.ConnectorRemoved(connector):
                log.info("Connector %s was deleted", connector)
                self._rejoin = self._untidy = True
            case configs.TasksUpdated(connector, tasks):
                log.info("Connector %s has new task configurations: %d tasks", connector, len(tasks))
                self._rejoin = self._untidy = True
            case configs.RestartRequest():
                self._restart(update)
            case configs.LoggerLevelUpdated(namespace, level):
                set_logger_level(namespace, level)
            case configs.SessionKeyUpdated():
                return
        self._changed = True

    def _act(self) -> None:
        if self.assignment is None:
            return
        if self._rejoin:
            self._rejoin = False
            self._group.update(self._snapshot(), rejoin=True)
        if self._changed:
            self._changed = False
            self.worker.reconcile(self._wanted(self.assignment))
        if self._untidy and self.leads:
            self._untidy = False
            self._sweep()
        self._rotate_session_key()

    def _snapshot(self) -> Snapshot:
        state = self.stores.config
        return Snapshot(state.offset, {name: len(state.tasks(name)) for name in state.connectors})

    def _wanted(self, assignment: Assignment) -> dict[TaskId, Wanted]:
        """What shall run here: what is assigned, as far as the config topic still knows it."""
        state, wanted = self.stores.config, {}
        for id in assignment.assigned:
            connector = state.connectors.get(id.connector)
            task = {} if id.task < 0 else state.task_configs.get(id)
            if connector is not None and task is not None and (id.task < 0 or id in state.tasks(id.connector)):
                # A task runs with the connector's config that it was made from.
                made_from = connector if id.task < 0 else state.applied.get(id.connector, connector)
                wanted[id] = Wanted(made_from, task, state.target_state(id.connector))
        return wanted

    def _from_group(self, event: Joined | Left) -> None:
        if isinstance(event, Left):
            return
        held = event.held
        log.info("Joined the group at generation %d: %d pieces of work", event.generation, len(held.assigned))
        self.worker.generation = event.generation
        self.leads = event.leads
        first = self.assignment is None
        self.assignment = held
        self._changed = self._untidy = True
        if held.error or held.config_offset > self.stores.config.offset:
            self.stores.read_to_end("config")
            self._rejoin = True
        self._rejoin |= bool(event.revoked)
        self._rotate_session_key()
        if first:
            waiting, self._waiting = self._waiting, []
            for job in waiting:
                self.post(job)

    def _from_host(self, message: messages.ToWorker | HostDied) -> None:
        match message:
            case messages.StateChanged(id, state):
                self.worker.heard(message)
                self._untidy = True
                if id.task < 0 and state == "RUNNING":
                    self.plan_tasks(id.connector)
            case HostDied(pid, ids, reason):
                self.worker.host_died(ids, reason, pid)
            case messages.ReconfigurationRequested(connector):
                self.plan_tasks(connector)
            case messages.GetOffsets():
                self._answer_offsets(message)
            case messages.TopicUsed(connector, topic):
                self._topic_used(connector, topic)

    def _unit_changed(self, unit: Unit, trace: str) -> None:
        """Write the status of a unit whose state is new."""
        config = self.stores.config.connectors.get(unit.id.connector, {})
        version = unit.version or self.versions.get(config.get("connector.class", "")) or None
        what = f"Connector {unit.id.connector}" if unit.id.task < 0 else f"Task {unit.id}"
        log.info("%s is %s%s", what, unit.state, f": {trace.splitlines()[0]}" if trace else "")
        status = Status(unit.state, self.worker_id, self.worker.generation, trace or None, version)
        self._swept.discard(unit.id)
        self.stores.put_status(unit.id, status)

    # Task configs.

    def plan_tasks(self, connector: str) -> None:
        """Have the connector make its task configs, and write them where they are new."""
        config = self.stores.config.connectors.get(connector)
        if config is None:
            return
        try:
            limit = max(1, int(config.get("tasks.max") or 1))
        except ValueError:
            limit = 1
        planned: Future[None] = Future()
        planned.add_done_callback(lambda done: self._planned(connector, done.exception()))
        self.then(
            self.hosts.task_configs(connector, limit), planned, lambda made: self._tasks_made(connector, made, planned)
        )

    def _tasks_made(self, connector: str, made: "tuple[Mapping[str, str], ...]", planned: "Future[None]") -> None:
        state = self.stores.config
        current = state.connectors.get(connector)
        if current is not None and state.target_state(connector) is TargetState.STARTED:
            tasks = [dict(config) for config in made]
            known = [state.task_configs[id] for id in state.tasks(connector)]
            if tasks != known or connector in state.inconsistent or state.applied.get(connector) != current:
                self.write_config(*configs.task_records(connector, tasks))
        planned.set_result(None)

    def _planned(self, connector: str, error: BaseException | None) -> None:
        unit = self.worker.units.get(TaskId(connector, -1))
        if error is None or unit is None:
            return
        if isinstance(error, RequestFailed):
            self.worker.fail(unit, str(error))
        else:
            log.warning(
                "The task configurations of %s could not be written; again in %g s: %s", connector, TICK_S, error
            )
            self.later(TICK_S, lambda: self.plan_tasks(connector))

    # Requests from the topic and the hosts.

    def restart_plan(self, request: RestartRequest) -> list[TaskId]:
        """What a restart request concerns."""
        connector, status = request.connector, self.stores.status
        tasks = self.stores.config.tasks(connector) if request.include_tasks else []
        ids = [TaskId(connector, -1), *tasks]
        known = [(id, status.get(id)) for id in ids]
        return [id for id, now in known if not request.only_failed or (now is not None and now.state == "FAILED")]

    def _restart(self, request: RestartRequest) -> None:
        for id in self.restart_plan(request):
            self.worker.restart(id, announce=True)

    def _answer_offsets(self, message: messages.GetOffsets) -> None:
        asked: Future[None] = Future()

        def answer(_: Any) -> None:
            self._fold()
            offsets = tuple(self.stores.offset.get(message.connector, each) for each in message.partitions)
            self.hosts.answer(messages.Offsets(message.request, offsets))
            asked.set_result(None)

        def failed(done: "Future[None]") -> None:
            if done.exception() is not None:
                log.error("The offsets of %s could not be read; they are read again", message.connector)
                self.post(lambda: self.later(TICK_S, lambda: self._answer_offsets(message)))

        asked.add_done_callback(failed)
        self.aside(asked, lambda: self.stores.read_to_end("offset"), answer)

    def _topic_used(self, connector: str, topic: str) -> None:
        known = topic in self.stores.status.topics(connector) or (connector, topic) in self._used
        if self.config["topic.tracking.enable"] and not known:
            self._used.add((connector, topic))
            self.stores.put_topic(TopicUse(topic, connector, 0, time.time_ns() // 1_000_000))

    def reset_topics(self, connector: str) -> None:
        """Forget which topics a connector used."""
        for topic in self.stores.status.topics(connector):
            self.stores.forget_topic(connector, topic)
            self._used.discard((connector, topic))

    def _sweep(self) -> None:
        """As the leader, remove the statuses of connectors and tasks that are no more, once they have stopped."""
        config, status = self.stores.config, self.stores.status
        for connector in status.connectors():
            if connector in config.connectors:
                alive = set(config.tasks(connector))
                gone = [id for id in status.tasks(connector) if id not in alive]
                gone = [] if connector in config.inconsistent else gone
            else:
                gone = [TaskId(connector, -1), *status.tasks(connector)]
                if not self.worker.busy(connector):
                    self.reset_topics(connector)
            for id in gone:
                if id not in self.worker.units and id not in self._swept:
                    self._swept.add(id)
                    self.stores.put_status(id, None)

    def _rotate_session_key(self) -> None:
        """As the leader, give the workers a key to sign their requests with (KIP-507)."""
        if not self.leads or self.assignment is None or self.assignment.version < SESSIONED:
            return
        now, key = time.time_ns() // 1_000_000, self.stores.config.session_key
        ttl_ms = self.config["inter.worker.key.ttl.ms"]
        if key is None or (ttl_ms > 0 and now >= key.created_ms + ttl_ms):
            size = (self.config["inter.worker.key.size"] or 256) // 8
            algorithm = self.config["inter.worker.key.generation.algorithm"]
            self.write_config(configs.session_key_record(SessionKey(secrets.token_bytes(size), algorithm, now)))

    # The end.

    def _shut_down(self) -> None:
        log.info("The worker stops: %d connectors and tasks are stopped", len(self.worker.units))
        self.hosts.stop(self.config["task.shutdown.graceful.timeout.ms"] if self.worker.units else 0)
        self.worker.unassign_all()
        self._group.stop(CLOSING_S)
        self.stores.close(CLOSING_S)
        for job in self._waiting:
            job()
        while not self._mailbox.empty():
            job_left = self._mailbox.get()
            if job_left is not None:
                job_left()


_LEVELS: Final = {
    "TRACE": logging.DEBUG,
    "FATAL": logging.CRITICAL,
    "OFF": logging.CRITICAL + 10,
    "ALL": logging.NOTSET,
}


def logger_level(level: str) -> int | None:
    """The level of Python's logging for one of log4j's; None where there is no such."""
    return _LEVELS.get(level.upper(), logging.getLevelNamesMapping().get(level.upper()))


def set_logger_level(namespace: str, level: str) -> None:
    """Set a logger's level; Java's names of loggers are taken as they are, `root` is all."""
    number = logger_level(level)
    if number is not None:
        logging.getLogger(None if namespace == "root" else namespace).setLevel(number)
