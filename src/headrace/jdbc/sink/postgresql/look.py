"""A look at the tables before the first record: are they there, and does the configuration go with them?"""

from collections.abc import Mapping
from typing import Any

import psycopg

from headrace.jdbc.sink.postgresql.check import Faults, table_faults
from headrace.jdbc.sink.postgresql.missing import missing_table
from headrace.jdbc.sink.postgresql.table import read_table
from headrace.jdbc.sink.settings import SinkSettings, listed_topics


def look(connection: "psycopg.Connection[Any]", settings: SinkSettings, properties: Mapping[str, Any]) -> Faults:
    """What cannot work, as keys and sentences; tables of topics that are not known yet are left out."""
    topics = listed_topics(properties)
    if not topics and properties.get("topics.regex") and "${topic}" not in settings.table_name_format:
        topics = [""]
    names = dict.fromkeys(settings.table_name(topic) for topic in topics)
    found = {name: read_table(connection, name) for name in names}
    faults: Faults = []
    if not settings.auto_create:
        missing = [name for name, table in found.items() if table is None]
        faults += [("table.name.format", missing_table(connection, name)) for name in missing]
    return faults + table_faults(settings, [table for table in found.values() if table is not None])
