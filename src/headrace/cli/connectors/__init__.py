"""`headrace connectors`: what a person does with curl and a worker's REST interface, kindly."""

from headrace.cli.connectors.commands import app

__all__ = ["app"]
