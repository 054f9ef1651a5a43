"""A connector instance in its host: plans the tasks of one connector.

Thread rule: one thread an instance calls the plug-in; the host puts work into its queue.
"""

import logging
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from threading import Thread

from headrace.connect.api import ConfigError, ConfigValue, ConnectError, Connector
from headrace.connect.runtime import messages
from headrace.connect.runtime.host.contexts import InstanceContext
from headrace.connect.runtime.host.errors import hide, secrets_of, sentence, trace
from headrace.connect.runtime.host.plugins import connector_class, stage_class
from headrace.connect.runtime.messages import TaskId, ToWorker

log = logging.getLogger(__name__)
Send = Callable[[ToWorker], None]


class ConnectorInstance:
    """One connector, started at once."""

    def __init__(self, name: str, config: Mapping[str, str], send: Send) -> None:
        self.id = TaskId(name, -1)
        self._config = dict(config)
        self._send = send
        self._secrets = secrets_of(config)
        self._context = InstanceContext(name, lambda: send(messages.ReconfigurationRequested(name)))
        self._plugin: Connector | None = None
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name=f"connector-{name}", daemon=True)
        self._thread.start()

    def task_configs(self, request: int, max_tasks: int) -> None:
        """Answer with the task configs."""
        self._work.put(lambda: self._send(self._task_configs(request, max_tasks)))

    def stop(self) -> None:
        """Stop soon; UNASSIGNED says when."""
        self._context.stopping.set()
        self._work.put(None)

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def _run(self) -> None:
        self._start()
        while (work := self._work.get()) is not None:
            work()
        try:
            if self._plugin is not None:
                self._plugin.stop()
        except Exception as error:
            log.warning(
                "Connector %s failed while it stopped: %s", self.id.connector, hide(sentence(error), self._secrets)
            )
        self._send(messages.StateChanged(self.id, "UNASSIGNED"))

    def _start(self) -> None:
        try:
            found = connector_class(self._config.get("connector.class", ""))
            plugin = found()
            plugin.start(self._context, self._config)
        except Exception as error:
            self._send(messages.StateChanged(self.id, "FAILED", trace(error, self._secrets)))
            return
        self._plugin = plugin
        self._name_unknown_keys(found)
        self._send(messages.StateChanged(self.id, "RUNNING", version=found.version))

    def _name_unknown_keys(self, plugin: type[Connector]) -> None:
        from headrace.connect.runtime.host.framework_config import unknown_keys

        unknown = unknown_keys(plugin, self._config)
        if unknown:
            log.warning("Connector %s: not known, and without effect: %s", self.id.connector, ", ".join(unknown))

    def _task_configs(self, request: int, max_tasks: int) -> ToWorker:
        if self._plugin is None:
            return messages.Failed(request, f"Connector {self.id.connector} is not running")
        try:
            configs = self._plugin.task_configs(max_tasks)
            self._check_count(len(configs), max_tasks)
        except Exception as error:
            errors = {key: tuple(texts) for key, texts in getattr(error, "errors", {}).items()}
            return messages.Failed(request, hide(sentence(error), self._secrets), errors)
        return messages.TaskConfigs(request, tuple(self._with_class(config) for config in configs))

    def _check_count(self, count: int, max_tasks: int) -> None:
        if count <= max_tasks:
            return
        text = f"The connector {self.id.connector} has generated {count} tasks, which is greater than {max_tasks}, the "
        text += "maximum that tasks.max allows. Raise tasks.max"
        if str(self._config.get("tasks.max.enforce", "true")).lower() != "false":
            raise ConnectError(f"{text}, or set tasks.max.enforce=false")
        log.warning(text)

    def _with_class(self, config: Mapping[str, str]) -> dict[str, str]:
        """A task config as Java's worker writes it: with the task's class, and a sink's topics."""
        assert self._plugin is not None
        more = {"task.class": self._plugin.java_task_class(self._config.get("connector.class", ""))}
        if self._plugin.connector_type == "sink":
            more |= {key: self._config[key] for key in ("topics", "topics.regex") if key in self._config}
        return more | {key: str(value) for key, value in config.items()}


def validated(request: int, config: Mapping[str, object], *, connect: bool) -> ToWorker:
    """The answer to Validate."""
    from headrace.connect.runtime.host.framework_config import as_shown, validate

    name = str(config.get("connector.class") or "")
    try:
        if not name:
            raise ConfigError(f"Connector config {dict.fromkeys(config, '...')} contains no connector type")
        plugin = connector_class(name)
        pairs = validate(plugin, config, connect=connect)
    except ConfigError as error:
        errors = {key: tuple(texts) for key, texts in error.errors.items()}
        return messages.Failed(request, str(error), errors)
    except Exception as error:
        log.exception("Validation of a config of %s failed", name)
        return messages.Failed(request, hide(sentence(error), secrets_of(config)))
    groups = tuple(dict.fromkeys(key.group for key, _ in pairs if key.group))
    shown = tuple(as_shown(key, value) for key, value in pairs)
    return messages.Validation(request, name, plugin.connector_type, shown, groups)


def defined(request: int, name: str) -> ToWorker:
    """The answer to DefineStage."""
    from headrace.connect.runtime.host.framework_config import as_shown

    try:
        keys = stage_class(name).config_def().keys.values()
    except ConfigError as error:
        return messages.Failed(request, str(error))
    return messages.Definition(request, tuple(as_shown(key, ConfigValue(key.name))[0] for key in keys))
