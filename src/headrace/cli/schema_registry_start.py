"""`headrace schema-registry-start FILE`: the registry under the name of Confluent's script."""

from headrace.cli.registry import command

__all__ = ["command"]
