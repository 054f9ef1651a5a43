"""AvroConverter: values in Avro's binary form, schemas in a registry, laid out as Confluent's converter lays them out.

`schema_writer` and `schema_reader` map a schema to Avro's and back; `row_encoder` and `row_decoder` handle one value
and are the measure of what is right; `column_encoder` and `column_decoder` handle whole Arrow columns and agree with
them. Both are led by the Avro schema and the Connect schema side by side.
"""

from headrace.connect.converters.avro.converter import AvroConverter

__all__ = ["AvroConverter"]
