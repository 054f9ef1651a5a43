"""`headrace connect-distributed`: `headrace connect` under the name of Kafka's own program."""

from headrace.cli.connect import command

__all__ = ["command"]
