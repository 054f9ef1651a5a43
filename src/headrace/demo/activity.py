"""A thread that does one thing until it is told to stop, and keeps the error that ended it for whoever asks."""

import threading
from typing import ClassVar


class Activity(threading.Thread):
    """Subclasses implement `act`, which looks at `stopping` often."""

    name_shown: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(name=self.name_shown, daemon=True)
        self.stopping = threading.Event()
        self.error: BaseException | None = None

    def act(self) -> None:
        raise NotImplementedError

    def run(self) -> None:
        try:
            self.act()
        except BaseException as error:
            self.error = error

    def stop(self, seconds: float = 10.0) -> None:
        """Tell it to stop, and wait for the end."""
        self.stopping.set()
        if self.is_alive():
            self.join(seconds)

    def raise_error(self) -> None:
        """Raise what ended the thread, if an error did."""
        if self.error is not None:
            raise self.error
