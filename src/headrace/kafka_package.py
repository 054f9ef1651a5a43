"""The package `kafka` without the clients that its `__init__` imports: they cost a server 0.1 s of its start.

Imported by `headrace` itself, so before the first `kafka.…`: the submodules are then imported one by one, as they are
asked for. Who asks for one of the clients (`from kafka import KafkaConsumer`) gets it: the `__init__` runs then.
"""

import importlib
import importlib.util
import sys
import threading
from types import ModuleType
from typing import Any, Final

NAME: Final = "kafka"
_lock = threading.RLock()


class _Bare(ModuleType):
    """The package as it is before its `__init__` has run."""

    def __getattr__(self, name: str) -> Any:
        """Called for what is not there yet: a submodule, or something that the `__init__` defines."""
        if name.startswith("__"):
            raise AttributeError(name)
        if importlib.util.find_spec(f"{NAME}.{name}") is not None:
            return importlib.import_module(f"{NAME}.{name}")
        with _lock:
            if self.__class__ is _Bare:
                self.__class__ = ModuleType  # type: ignore[assignment]
                assert self.__spec__ is not None and self.__spec__.loader is not None
                self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def _prepare() -> None:
    if NAME in sys.modules:
        return
    spec = importlib.util.find_spec(NAME)
    if spec is None:
        raise ModuleNotFoundError("kafka-python is not installed: pip install headrace", name=NAME)
    package = importlib.util.module_from_spec(spec)
    package.__class__ = _Bare
    sys.modules[NAME] = package


_prepare()
