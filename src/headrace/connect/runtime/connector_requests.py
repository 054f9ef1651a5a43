"""What can be asked of a Connect cluster: create, change, read, stop and restart connectors, and their offsets.

Each method gives a future with what REST shows, or with a RequestError. Called by any thread; the work is done by the
herder's. Texts are those of Java's Connect.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final

from headrace.connect.runtime.errors import BadRequest, Conflict, NotFound
from headrace.connect.runtime.herder import Herder
from headrace.connect.runtime.messages import TaskId, Validation
from headrace.connect.stores import config as configs
from headrace.connect.stores.config import RestartRequest, TargetState
from headrace.connect.stores.status import Status

Json = dict[str, Any]
MORE: Final = (
    "\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`"
)


@dataclass(frozen=True, slots=True)
class Created:
    """A connector's info, and whether it is new."""

    new: bool
    info: Json


def config_errors(validation: Validation) -> list[str]:
    """Every error of a validation, in the order of the keys."""
    return [text for _, value in validation.configs for text in value.get("errors", ())]


def connector_type(class_name: str) -> str:
    """`source` or `sink`, by the class name, as all known ones tell."""
    lowered = class_name.lower()
    return "sink" if "sink" in lowered else "source" if "source" in lowered else "unknown"


class ConnectorRequests:
    """The requests. `types` are the types of connector classes, as they become known by validation."""

    def __init__(self, herder: Herder) -> None:
        self._herder = herder
        self._types: dict[str, str] = {}

    # Reading.

    def names(self) -> "Future[list[str]]":
        return self._herder.ask(lambda: list(self._herder.stores.config.connectors))

    def expanded(self, kinds: Sequence[str]) -> "Future[dict[str, Json]]":
        """Info or status, or both, of every connector; kinds that are not known are ignored."""
        shown = {"info": self._info, "status": self._status}

        def read() -> dict[str, Json]:
            found: dict[str, Json] = {}
            for name in self._herder.stores.config.connectors:
                try:
                    found[name] = {kind: shown[kind](name) for kind in kinds if kind in shown}
                except NotFound:
                    continue
            return found

        return self._herder.ask(read)

    def info(self, name: str) -> "Future[Json]":
        return self._herder.ask(lambda: self._info(name))

    def config(self, name: str) -> "Future[dict[str, str]]":
        return self._herder.ask(lambda: dict(self._config(name)))

    def status(self, name: str) -> "Future[Json]":
        return self._herder.ask(lambda: self._status(name))

    def tasks(self, name: str) -> "Future[list[Json]]":
        def read() -> list[Json]:
            self._config(name)
            state = self._herder.stores.config
            return [{"id": _task(id), "config": state.task_configs[id]} for id in state.tasks(name)]

        return self._herder.ask(read)

    def task_status(self, id: TaskId) -> "Future[Json]":
        def read() -> Json:
            status = self._herder.stores.status.get(id)
            if status is None:
                raise NotFound(f"No status found for task {id}")
            return _task_state(id, status)

        return self._herder.ask(read)

    def topics(self, name: str) -> "Future[Json]":
        return self._herder.ask(lambda: {name: {"topics": list(self._herder.stores.status.topics(name))}})

    def reset_topics(self, name: str) -> "Future[None]":
        return self._herder.ask(lambda: self._herder.reset_topics(name))

    # Creating and changing.

    def put(
        self, name: str, config: Mapping[str, Any], initial: TargetState | None = None, *, replace: bool = True
    ) -> "Future[Created]":
        """Create a connector, or with `replace` change it, where its config alone shows no error."""

        def work(result: "Future[Created]") -> None:
            checked = self._herder.hosts.validate(config, connect=False)
            self._herder.then(checked, result, lambda validation: valid(validation, result))

        def valid(validation: Validation, result: "Future[Created]") -> None:
            self._refuse_faulty(config, validation)
            known = self._herder.stores.config.connectors
            new = name not in known
            if not new and not replace:
                raise Conflict(f"Connector {name} already exists")
            self._herder.write_config(*configs.create_records(name, config, initial))
            result.set_result(Created(new, self._info(name)))

        return self._herder.submit(work)

    def patch(self, name: str, changes: Mapping[str, str | None]) -> "Future[Created]":
        """Change some keys of a connector's config; None takes a key away (KIP-477)."""
        merged: Future[dict[str, Any]] = self._herder.ask(lambda: _patched(self._config(name), changes))
        result: Future[Created] = Future()
        self._herder.then(merged, result, lambda config: _hand_on(self.put(name, config), result))
        return result

    def delete(self, name: str) -> "Future[None]":
        def work(result: "Future[None]") -> None:
            self._config(name)
            self._herder.write_config(*configs.delete_records(name))
            result.set_result(None)

        return self._herder.submit(work)

    def _refuse_faulty(self, config: Mapping[str, Any], validation: Validation) -> None:
        self._types[str(config.get("connector.class"))] = validation.connector_type
        faults = config_errors(validation)
        if faults:
            head = f"Connector configuration is invalid and contains the following {len(faults)} error(s):"
            raise BadRequest("\n".join([head, *faults]) + MORE)

    # Target states and restarts.

    def set_state(self, name: str, state: TargetState) -> "Future[None]":
        """Pause, stop or resume. A stop also takes the tasks away, before the target state, as Java does."""

        def work(result: "Future[None]") -> None:
            if name not in self._herder.stores.config.connectors:
                raise NotFound(f"Unknown connector {name}")
            records = [configs.target_state_record(name, state)]
            if state is TargetState.STOPPED:
                records = [*configs.task_records(name, []), *records]
            self._herder.write_config(*records, as_leader=state is TargetState.STOPPED)
            result.set_result(None)

        return self._herder.submit(work)

    def restart_connector(self, name: str) -> "Future[None]":
        """Restart the connector's instance alone."""

        def work(result: "Future[None]") -> None:
            self._known(name)
            self._restart_here(TaskId(name, -1))
            result.set_result(None)

        return self._herder.submit(work)

    def restart(self, request: RestartRequest) -> "Future[Json]":
        """Restart a connector and tasks (KIP-745); gives its status, with RESTARTING for what is restarted."""

        def work(result: "Future[Json]") -> None:
            self._known(request.connector)
            plan = set(self._herder.restart_plan(request))
            shown = self._status(request.connector)
            self._herder.write_config(configs.restart_record(request))
            for task, state in [(-1, shown["connector"]), *((each["id"], each) for each in shown["tasks"])]:
                if TaskId(request.connector, task) in plan:
                    state["state"] = "RESTARTING"
                    state.pop("trace", None)
            result.set_result(shown)

        return self._herder.submit(work)

    def restart_task(self, id: TaskId) -> "Future[None]":
        def work(result: "Future[None]") -> None:
            self._known(id.connector)
            if id not in self._herder.stores.config.tasks(id.connector):
                raise NotFound(f"Unknown task: {id}")
            self._restart_here(id)
            result.set_result(None)

        return self._herder.submit(work)

    # Validation.

    def validate(self, config: Mapping[str, Any], *, connect: bool) -> "Future[Validation]":
        """What `/config/validate` shows; with `connect` the plug-in asks the outside too."""

        def work(result: "Future[Validation]") -> None:
            found = self._herder.hosts.validate(config, connect=connect)
            self._herder.then(found, result, result.set_result, changes=False)

        return self._herder.submit(work, changes=False)

    def definition(self, stage: str) -> "Future[tuple[Mapping[str, Any], ...]]":
        """The keys of a converter, transformation or predicate, as REST shows them."""

        def work(result: "Future[tuple[Mapping[str, Any], ...]]") -> None:
            self._herder.then(self._herder.hosts.definition(stage), result, result.set_result, changes=False)

        return self._herder.submit(work, changes=False)

    def set_logger_level(self, namespace: str, level: str) -> "Future[None]":
        """Set a logger's level on every worker of the cluster (KIP-976)."""

        def work(result: "Future[None]") -> None:
            self._herder.write_config(configs.logger_record(namespace, level), as_leader=False)
            result.set_result(None)

        return self._herder.submit(work)

    # On the herder's thread.

    def _restart_here(self, id: TaskId) -> None:
        status = self._herder.stores.status.get(id)
        if id not in self._herder.worker.units and status is not None:
            raise Conflict(
                f"Cannot complete request: it concerns work of the worker {status.worker_id}; send the request there"
            )
        self._herder.worker.restart(id)

    def _known(self, name: str) -> None:
        if name not in self._herder.stores.config.connectors:
            raise NotFound(f"Unknown connector: {name}")

    def _config(self, name: str) -> dict[str, str]:
        config = self._herder.stores.config.connectors.get(name)
        if config is None:
            raise NotFound(f"Connector {name} not found")
        return config

    def _type(self, name: str) -> str:
        class_name = self._herder.stores.config.connectors.get(name, {}).get("connector.class", "")
        return self._types.get(class_name) or connector_type(class_name)

    def _info(self, name: str) -> Json:
        config = self._config(name)
        tasks = [_task(id) for id in self._herder.stores.config.tasks(name)]
        return {"name": name, "config": dict(config), "tasks": tasks, "type": self._type(name)}

    def _status(self, name: str) -> Json:
        status = self._herder.stores.status
        connector = status.get(TaskId(name, -1))
        if connector is None:
            raise NotFound(f"No status found for connector {name}")
        tasks = [(id, status.get(id)) for id in status.tasks(name)]
        return {
            "name": name,
            "connector": _state(connector),
            "tasks": [_task_state(id, each) for id, each in tasks if each is not None],
            "type": self._type(name),
        }


def _task(id: TaskId) -> Json:
    return {"connector": id.connector, "task": id.task}


def _state(status: Status) -> Json:
    trace = {"trace": status.trace} if status.trace else {}
    return {"state": status.state, "worker_id": status.worker_id, "version": status.version, **trace}


def _task_state(id: TaskId, status: Status) -> Json:
    return {"id": id.task, **_state(status)}


def _patched(config: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, Any]:
    merged: dict[str, Any] = {**config, **changes}
    return {key: value for key, value in merged.items() if value is not None}


def _hand_on(source: "Future[Created]", target: "Future[Created]") -> None:
    def done(future: "Future[Created]") -> None:
        error = future.exception()
        if error is None:
            target.set_result(future.result())
        else:
            target.set_exception(error)

    source.add_done_callback(done)
