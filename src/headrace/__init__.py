"""Headrace: a Kafka broker, a Kafka Connect worker and JDBC connectors in one package."""

from headrace import kafka_package as _kafka_package  # noqa: F401 - before anything imports kafka

__version__ = "0.1.0"
