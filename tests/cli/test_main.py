"""The `headrace` command: a module of `headrace.cli` is a command."""

import pkgutil
from importlib.metadata import version

from typer.testing import CliRunner

from headrace import cli
from headrace.cli.main import application, command_names


def test_every_module_but_main_is_a_command_with_dashes_for_underscores():
    modules = {module.name for module in pkgutil.iter_modules(cli.__path__)} - {"main"}
    assert {name.replace("-", "_") for name in command_names()} == modules
    assert not [name for name in command_names() if "_" in name]


def test_every_command_explains_itself():
    runner = CliRunner()
    app = application(command_names())
    for name in command_names():
        shown = runner.invoke(app, [name, "--help"])
        assert shown.exit_code == 0, f"{name}: {shown.output}"


def test_the_version_is_the_package_s():
    shown = CliRunner().invoke(application(command_names()), ["--version"])
    assert (shown.exit_code, shown.output) == (0, f"headrace {version('headrace')}\n")
