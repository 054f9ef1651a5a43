"""What Java calls our classes: people filter dead letters and logs by its names. Sans-IO."""

from collections.abc import Sequence
from typing import Final

from headrace.config import ConfigError
from headrace.connect.runtime.host.errors import causes, frames, hide
from headrace.connect.runtime.host.plugins import java_name

SINK_TASK: Final = "org.apache.kafka.connect.sink.SinkTask"
SOURCE_TASK: Final = "org.apache.kafka.connect.runtime.WorkerSourceTask"
_CONFIG_EXCEPTION: Final = "org.apache.kafka.common.config.ConfigException"
_BUILT_IN: Final[dict[type[BaseException], str]] = {
    ArithmeticError: "java.lang.ArithmeticException",
    LookupError: "java.util.NoSuchElementException",
    NotImplementedError: "java.lang.UnsupportedOperationException",
    OverflowError: "java.lang.ArithmeticException",
    RuntimeError: "java.lang.RuntimeException",
    TypeError: "java.lang.ClassCastException",
    ValueError: "java.lang.IllegalArgumentException",
    ZeroDivisionError: "java.lang.ArithmeticException",
}


def executing_class(executing: type | str) -> str:
    """The Java name of a plug-in's class: the one it is configured by."""
    return executing if isinstance(executing, str) else java_name(executing)


def exception_class(error: BaseException) -> str:
    """The Java name of an error; an error of a library, which Java does not have, under its own."""
    name = getattr(error, "java_class", None)
    if isinstance(name, str):
        return name
    if isinstance(error, ConfigError):
        return _CONFIG_EXCEPTION
    kind = type(error)
    return _BUILT_IN.get(kind, f"{kind.__module__}.{kind.__qualname__}")


def stack_trace(error: BaseException, secrets: Sequence[str] = ()) -> str:
    """As `Throwable.printStackTrace` writes it, with our frames; secrets hidden (invariant 7)."""
    lines: list[str] = []
    for cause in causes(error):
        text = str(cause)
        name = exception_class(cause) + (f": {text}" if text else "")
        lines += [f"Caused by: {name}" if lines else name, *(f"\tat {frame}" for frame in frames(cause))]
    return hide("\n".join(lines) + "\n", secrets)
