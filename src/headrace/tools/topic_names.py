"""Topics picked by a regular expression, as Kafka's tools pick them. Sans-IO."""

import re
from collections.abc import Iterable

from headrace.tools.command import Refusal

INTERNAL = frozenset({"__consumer_offsets", "__transaction_state", "__share_group_state"})


def pick(names: Iterable[str], include: str | None, exclude_internal: bool) -> list[str]:
    """The names, sorted, that match `include` from end to end; all of them where there is none."""
    pattern = None if include is None else include_list(include)
    return sorted(
        name
        for name in names
        if (pattern is None or pattern.fullmatch(name)) and not (exclude_internal and name in INTERNAL)
    )


def include_list(text: str) -> re.Pattern[str]:
    """Kafka's IncludeList: blanks go, a comma is "or", quotes around the whole are dropped."""
    cleaned = re.sub("[\"']+$", "", re.sub("^[\"']+", "", text.strip().replace(",", "|").replace(" ", "")))
    try:
        return re.compile(cleaned)
    except re.error:
        raise Refusal(f"{cleaned} is an invalid regex.") from None
