"""ErrorLog: a line and a trace in the log for each record that failed, as Java's LogReporter writes them."""

import logging
from collections.abc import Mapping, Sequence

from headrace.connect.runtime.host.error_settings import ErrorSettings
from headrace.connect.runtime.host.errors import ErrorCounts, ErrorPolicy, Failure, hide, secrets_of
from headrace.connect.runtime.host.java_names import executing_class, stack_trace
from headrace.connect.runtime.host.retries import Retries
from headrace.connect.runtime.messages import TaskId

log = logging.getLogger(__name__)


class ErrorLog:
    """The reporter of `errors.log.enable`; `with_records` is `errors.log.include.messages`."""

    def __init__(self, task: str, counts: ErrorCounts, secrets: Sequence[str], *, with_records: bool) -> None:
        self._task = task
        self._counts = counts
        self._secrets = secrets
        self._with_records = with_records

    def report(self, failure: Failure) -> None:
        at = failure.at
        text = f"Executing stage '{at.stage}' with class '{executing_class(at.executing)}'"
        if self._with_records:
            text += f", where {failure.record.details()}"
        text = hide(f"Error encountered in task {self._task}. {text}.", self._secrets)
        log.error("%s\n%s", text, stack_trace(at.error, self._secrets).rstrip())
        self._counts.logged += 1


def policy_of(task: TaskId, properties: Mapping[str, str]) -> ErrorPolicy:
    """A task's policy, with the error log that its connector asks for. Raises ConfigError."""
    settings = ErrorSettings.of(properties)
    policy = ErrorPolicy(str(task), settings, secrets_of(properties))
    policy.retries = Retries(settings.retry_timeout_ms, settings.retry_delay_max_ms)
    if settings.log_each:
        with_records = settings.log_records
        policy.reporters = [ErrorLog(policy.task, policy.counts, policy.secrets, with_records=with_records)]
    return policy
