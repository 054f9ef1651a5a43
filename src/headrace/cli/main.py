"""The `headrace` command."""

import typer

app = typer.Typer(no_args_is_help=True, pretty_exceptions_show_locals=False, add_completion=False)


def main() -> None:
    """Entry point of the `headrace` script."""
    app()
