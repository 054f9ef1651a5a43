"""The REST interface of the registry: Confluent's paths, bodies, answers and content types."""
