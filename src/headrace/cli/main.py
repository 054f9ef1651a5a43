"""The `headrace` command: finds the module of the command that is asked for."""

import argparse
import importlib
import pkgutil
import sys
from typing import TYPE_CHECKING, Annotated

from headrace import __version__, cli
from headrace.config import ConfigError
from headrace.serve import SERVERS
from headrace.tools import TOOLS, module_of

if TYPE_CHECKING:
    import typer


def command_names() -> list[str]:
    """Every module of `headrace.cli` but this one, `_` written as `-`; `kafka-*` are not among them."""
    modules = (module.name for module in pkgutil.iter_modules(cli.__path__))
    return sorted(name.replace("_", "-") for name in modules if name != "main")


def application(names: list[str]) -> "typer.Typer":
    """The commands called `names`, each imported now: a module's `command`, or its `app` where it has several.

    A module's `SETTINGS` are click's, as for a command that hands options on. Kafka's tools are listed with the others;
    they read their own command lines (`main`).
    """
    import typer

    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)

    def say_version(wanted: bool) -> None:
        if wanted:
            print(f"headrace {__version__}")
            raise typer.Exit

    @app.callback()
    def headrace(
        version: Annotated[
            bool, typer.Option("--version", callback=say_version, is_eager=True, help="Show the version and exit.")
        ] = False,
    ) -> None:
        """A Kafka broker, a Kafka Connect worker and JDBC connectors in Python."""

    for name in names:
        module = importlib.import_module(f"headrace.cli.{name.replace('-', '_')}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            app.command(name, context_settings=getattr(module, "SETTINGS", None))(module.command)
    for tool, help_ in TOOLS.items():
        app.command(tool, help=help_)(lambda: None)
    return app


def serve_child(server: str, arguments: list[str]) -> None:
    """What a supervisor starts: the same server, read without typer, which takes a process 0.2 s to import and use."""
    module = importlib.import_module(f"headrace.serve.{server}")
    parser = argparse.ArgumentParser(prog=f"headrace {server}", allow_abbrev=False)
    module.add_options(parser)
    try:
        module.serve(**vars(parser.parse_args(arguments)))
    except ConfigError as error:
        sys.exit(f"headrace {server}: {error}")


def main() -> None:
    """Entry point of the `headrace` script."""
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    if asked in TOOLS:
        # Without typer: Kafka's options are not its own, and these are typed at a prompt.
        sys.exit(importlib.import_module(module_of(asked)).main(sys.argv[2:]))
    if "--parent-fd" in sys.argv and asked in SERVERS:
        serve_child(asked, sys.argv[2:])
        return
    names = command_names()
    application([asked] if asked in names else names)(prog_name="headrace")
