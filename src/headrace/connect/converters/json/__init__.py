"""JsonConverter: Connect's values as JSON, laid out as `org.apache.kafka.connect.json.JsonConverter` lays them out.

`schema_form` is a schema's JSON; `row_encoder` and `row_decoder` handle one value and are the measure of what is right;
`column_encoder` and `column_decoder` handle whole Arrow columns and agree with them; `envelope` splits messages into
schema and payload, parsing each schema once.

Where it differs from Java's class: non-finite floats are read back as what they say ("NaN", "Infinity", "-Infinity";
Java reads 0.0), and a JSON value of another type than the schema's is refused by name (Java reads 0, false or null).
"""

from headrace.connect.converters.json.converter import JsonConverter

__all__ = ["JsonConverter"]
