"""What a connector asks of a kind of database: names, quoting, and what a table looks like.

A dialect has no state and opens no connection; the connection is handed in.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from headrace.connect.api import ConfigError


@dataclass(frozen=True, slots=True, order=True)
class TableId:
    """The name of a table; `schema` is None where the user named none."""

    schema: str | None
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `table`, `schema.table` or `database.schema.table`; a part may stand in double quotes.

        >>> TableId.parse('public."Iris.Data"')
        TableId(schema='public', name='Iris.Data')
        """
        parts = re.findall(r'"((?:[^"]|"")+)"|([^."]+)', text.strip())
        names = [quoted.replace('""', '"') or plain.strip() for quoted, plain in parts]
        if not 0 < len(names) <= 3 or not all(names):
            raise ConfigError(f"{text!r} is no table name: write table or schema.table")
        return cls(names[-2] if len(names) > 1 else None, names[-1])

    def __str__(self) -> str:
        return self.name if self.schema is None else f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column as the database has it.

    `type`: the base type's own name (`int4`), a domain resolved; `type_text`: as in DDL (`character varying(20)`);
    `kind`: b base, e enum, c composite, r range, m multirange, p pseudo, and a for arrays. `length`, `precision` and
    `scale` are None where the type names none. `key`: position in the primary key from 1, or None.
    """

    name: str
    type: str
    type_text: str
    nullable: bool
    kind: str = "b"
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    key: int | None = None
    has_default: bool = False
    autoincrement: bool = False
    generated: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the database has it; `type` is TABLE, PARTITIONED TABLE, VIEW, MATERIALIZED VIEW or FOREIGN TABLE."""

    id: TableId
    oid: int
    type: str
    columns: tuple[TableColumn, ...]

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The columns of the primary key, in its order."""
        keyed = [column for column in self.columns if column.key is not None]
        return tuple(column.name for column in sorted(keyed, key=lambda column: column.key or 0))

    def column(self, name: str) -> TableColumn | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)


class Dialect(ABC):
    """One kind of database."""

    name: ClassVar[str]
    max_identifier_bytes: ClassVar[int]

    @abstractmethod
    def quote(self, identifier: str) -> str:
        """An identifier as it stands in SQL."""

    def quote_table(self, table: TableId) -> str:
        """A table's name as it stands in SQL."""
        return (
            self.quote(table.name) if table.schema is None else f"{self.quote(table.schema)}.{self.quote(table.name)}"
        )

    @abstractmethod
    def literal(self, text: str) -> str:
        """A text as it stands in SQL."""

    @abstractmethod
    def tables(self, connection: Any, types: Sequence[str]) -> list[TableId]:
        """The tables of these types that the user may see, system tables left out, in order."""

    @abstractmethod
    def find(self, connection: Any, table: TableId) -> list[TableId]:
        """The full names that `table` may mean: the one on the search path, else all of that name in other schemas."""

    @abstractmethod
    def named(self, connection: Any, name: str) -> list[TableId]:
        """The full names of all tables called `name`, system tables left out, in order."""

    @abstractmethod
    def reflect(self, connection: Any, table: TableId) -> Table | None:
        """What the table looks like now, or None where there is none."""

    @abstractmethod
    def fingerprint(self, connection: Any, table: TableId) -> str | None:
        """A text that changes when the table is made anew or a column of it changes; None where there is no table."""
