"""`headrace.rest.mask.secrets`: what REST shows of passwords and the like (invariant 7). Sans-IO.

Without it a config is shown as it was written, as Kafka Connect does, since clients write back what they read.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

MASK: Final = "********"
_SECRET_KEY: Final = re.compile(
    r"password|passphrase|secret|token|credential|sasl\.jaas\.config|private\.?key|api\.?key|user\.info", re.IGNORECASE
)
_IN_URL: Final = re.compile(r"([?&;](?:password|sslpassword)=)[^&;]*|(://[^:/@\s]+:)[^@/\s]+(?=@)", re.IGNORECASE)


def masked_value(key: str, value: str) -> str:
    """What is shown of one value: nothing of a secret, and of a URL all but its password; `${...}` is no secret.

    >>> masked_value("connection.password", "x"), masked_value("connection.url", "jdbc:postgresql://h/d?password=x")
    ('********', 'jdbc:postgresql://h/d?password=********')
    """
    if value.startswith("${") and value.endswith("}"):
        return value
    if _SECRET_KEY.search(key):
        return MASK
    return _IN_URL.sub(lambda match: (match.group(1) or match.group(2)) + MASK, value)


def masked(config: Mapping[str, str]) -> dict[str, str]:
    """What is shown of a config."""
    return {key: masked_value(key, value) for key, value in config.items()}


def unmasked(given: Mapping[str, Any], stored: Mapping[str, str]) -> dict[str, Any]:
    """A config as it was given, with the stored value wherever what is shown of that was given back."""
    return {
        key: stored[key] if key in stored and value == masked_value(key, stored[key]) else value
        for key, value in given.items()
    }
