"""What connectors and tasks get from the runtime (`headrace.connect.api.connector.Context` and those below it)."""

import threading
from collections.abc import Callable


class BaseContext:
    """The name, the stop, and waiting that a stop ends."""

    def __init__(self, connector: str) -> None:
        self.connector = connector
        self.stopping = threading.Event()

    def wait(self, seconds: float) -> bool:
        return self.stopping.wait(seconds)


class InstanceContext(BaseContext):
    """A connector instance's context."""

    def __init__(self, connector: str, request_reconfiguration: Callable[[], None]) -> None:
        super().__init__(connector)
        self._request_reconfiguration = request_reconfiguration

    def request_task_reconfiguration(self) -> None:
        self._request_reconfiguration()
