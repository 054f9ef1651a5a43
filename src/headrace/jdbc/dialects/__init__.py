"""Kinds of databases; PostgreSQL is the one that is built."""

from headrace.jdbc.dialects.base import Dialect, Table, TableColumn, TableId
from headrace.jdbc.dialects.postgresql import PostgresDialect

__all__ = ["Dialect", "PostgresDialect", "Table", "TableColumn", "TableId"]
