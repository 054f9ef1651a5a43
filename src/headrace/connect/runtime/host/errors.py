"""What a failure looks like to a person, and the one place that decides what a failed record means.

A trace begins with the sentence; the stack follows without locals and with the config's secrets hidden (invariant 7).
"""

import re
import traceback
from collections.abc import Iterable, Mapping
from typing import Any, Final

from headrace.connect.api import ConfigError, ConnectError, Password

_SECRET_KEY: Final = re.compile(r"password|secret|token|credential|jaas|private|passphrase|basic\.auth", re.IGNORECASE)
_SHORTEST_SECRET: Final = 3


def secrets_of(properties: Mapping[str, Any]) -> list[str]:
    """The values of the keys that look like secrets, longest first."""
    values = {str(value) for key, value in properties.items() if _SECRET_KEY.search(key) and value}
    return sorted((value for value in values if len(value) >= _SHORTEST_SECRET), key=len, reverse=True)


def hide(text: str, secrets: Iterable[str]) -> str:
    """`text` with each of `secrets` replaced, where it stands as a word of its own."""
    for secret in secrets:
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", Password.HIDDEN, text)
    return text


def sentence(error: BaseException) -> str:
    """The one line that a person reads first."""
    text = str(error).strip()
    if isinstance(error, (ConnectError, ConfigError)) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def trace(error: BaseException, secrets: Iterable[str] = ()) -> str:
    """The sentence, then where it came from, then what caused it."""
    secrets = list(secrets)
    parts = [sentence(error), _frames(error)]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    while cause is not None and len(parts) < 12:
        parts += [f"Caused by: {type(cause).__name__}: {cause}", _frames(cause)]
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return hide("\n".join(part for part in parts if part), secrets)


def _frames(error: BaseException) -> str:
    """The stack without source lines: a line of source may hold a secret, its number does not."""
    stack = traceback.extract_tb(error.__traceback__)
    return "\n".join(f"\tat {frame.name} ({frame.filename}:{frame.lineno})" for frame in reversed(stack))
