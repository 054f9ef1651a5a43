"""The schema registry: Confluent's REST interface over the `_schemas` topic, in Confluent's own record format."""
