"""`db.timezone`: names of time zones as Java takes them. Sans-IO."""

import re
from typing import Final

UTC_NAMES: Final = frozenset({"UTC", "GMT", "UT", "Z", "Etc/UTC", "Etc/GMT"})
"""Names that need no database of time zones, which bare machines lack."""
_OFFSET: Final = re.compile(r"(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d{2}))?")


def arrow_zone(name: str) -> str:
    """The zone as Arrow names it: UTC, an offset with its sign, or a name that is left as it is.

    >>> arrow_zone("GMT+9"), arrow_zone("-0330"), arrow_zone("Asia/Seoul")
    ('+09:00', '-03:30', 'Asia/Seoul')
    """
    if name in UTC_NAMES:
        return "UTC"
    found = _OFFSET.fullmatch(name)
    return f"{found[1]}{int(found[2]):02d}:{found[3] or '00'}" if found else name
