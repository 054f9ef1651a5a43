"""Avro schemas as trees, read and printed as Java's Avro does: what the registry and the converters share. Sans-IO."""
