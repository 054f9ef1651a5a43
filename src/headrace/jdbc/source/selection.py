"""Which tables the configuration chooses.

Sans-IO: names go in, names come out.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from headrace.jdbc.dialects import TableId


class Selection:
    """`listed`: tables named one by one; where there are none, `chosen` picks from those that there are."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.listed: list[str] = list(dict.fromkeys(filter(None, values["table.whitelist"])))
        self.types: list[str] = values["table.types"]
        self._excluded = {_unquoted(name) for name in values["table.blacklist"]}
        self._include = [re.compile(pattern) for pattern in values["table.include.list"]]
        self._exclude = [re.compile(pattern) for pattern in values["table.exclude.list"]]
        self._schemas = values["schema.pattern"] or None
        self._databases = values["catalog.pattern"] or None

    def chosen(self, tables: Iterable[TableId], database: str) -> list[TableId]:
        """Those of `tables`, of this database, that are to be copied."""
        if not like(self._databases, database):
            return []
        return [table for table in tables if like(self._schemas, table.schema or "") and self._wanted(table, database)]

    def _wanted(self, table: TableId, database: str) -> bool:
        names = [str(table), f"{database}.{table}"]
        if not self._include:
            return not self._excluded & {table.name, *names}
        return _any(self._include, names) and not _any(self._exclude, names)


def like(pattern: str | None, name: str) -> bool:
    """Whether a name is LIKE a pattern, as a driver's metadata takes it: % any text, _ any letter, \\ takes them plain.

    >>> like("sales\\\\_%", "sales_2024"), like("sales\\\\_%", "sales2024")
    (True, False)
    """
    if pattern is None:
        return True
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    regex = "".join(wild.get(part) or re.escape(part[-1]) for part in parts)
    return re.fullmatch(regex, name, re.DOTALL) is not None


def _any(patterns: Sequence["re.Pattern[str]"], names: Sequence[str]) -> bool:
    return any(pattern.fullmatch(name) for pattern in patterns for name in names)


def _unquoted(name: str) -> str:
    """`"s"."t"` as `s.t`; the known connectors take either in table.blacklist."""
    return re.sub(r'"((?:[^"]|"")*)"', lambda found: found[1].replace('""', '"'), name)
