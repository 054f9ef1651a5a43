"""Headrace: a Kafka broker, a Kafka Connect worker and JDBC connectors in one package."""

__version__ = "0.1.0"
