"""The plug-in API: all that a connector, converter or transformation may import of Headrace."""

from headrace.config import (
    NO_DEFAULT,
    ConfigDef,
    ConfigError,
    ConfigKey,
    ConfigValue,
    Importance,
    Password,
    Type,
    address,
    name_thread,
)
from headrace.config.definition import between, non_empty, non_empty_list, non_empty_values, one_of
from headrace.connect.api.batch import Batch, Header, Origin, Record, SinkOrigin, SourceOrigin, from_records
from headrace.connect.api.column import Column, arrow_type, integers, to_column, to_values
from headrace.connect.api.connector import (
    Connector,
    ConnectorContext,
    ErrantRecordReporter,
    SinkConnector,
    SinkTask,
    SinkTaskContext,
    SourceConnector,
    SourceTask,
    SourceTaskContext,
    TopicPartition,
)
from headrace.connect.api.error import ConnectError, DataError, RetriableError
from headrace.connect.api.header_converter import HeaderAndValueConverter, HeaderConverter
from headrace.connect.api.predicate import Predicate
from headrace.connect.api.schema import ConnectSchema, Field, SchemaType, schema, struct
from headrace.connect.api.stage import ColumnConverter, Converted, Converter, Transformation

__all__ = [
    "NO_DEFAULT",
    "Batch",
    "Column",
    "ColumnConverter",
    "ConfigDef",
    "ConfigError",
    "ConfigKey",
    "ConfigValue",
    "ConnectError",
    "ConnectSchema",
    "Connector",
    "ConnectorContext",
    "Converted",
    "Converter",
    "DataError",
    "ErrantRecordReporter",
    "Field",
    "Header",
    "HeaderAndValueConverter",
    "HeaderConverter",
    "Importance",
    "Origin",
    "Password",
    "Predicate",
    "Record",
    "RetriableError",
    "SchemaType",
    "SinkConnector",
    "SinkOrigin",
    "SinkTask",
    "SinkTaskContext",
    "SourceConnector",
    "SourceOrigin",
    "SourceTask",
    "SourceTaskContext",
    "TopicPartition",
    "Transformation",
    "Type",
    "address",
    "arrow_type",
    "between",
    "from_records",
    "integers",
    "name_thread",
    "non_empty",
    "non_empty_list",
    "non_empty_values",
    "one_of",
    "schema",
    "struct",
    "to_column",
    "to_values",
]
