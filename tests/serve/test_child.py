"""A server that a supervisor starts: the same options, without what the command line costs."""

import argparse
import importlib
import subprocess
import sys

import pytest
from typer.main import get_command

from headrace import serve
from headrace.cli.main import application
from headrace.serve import SERVERS
from tests.conftest import free_port


@pytest.mark.parametrize("server", SERVERS)
def test_a_child_takes_the_options_of_the_command(server: str) -> None:
    parser = argparse.ArgumentParser()
    importlib.import_module(f"{serve.__name__}.{server}").add_options(parser)
    ours = {(*action.option_strings, action.nargs == "?") for action in parser._actions if action.dest != "help"}
    command = get_command(application([server])).commands[server]  # type: ignore[attr-defined]
    theirs = {
        (*(option for option in parameter.opts if option.startswith("-")), parameter.param_type_name == "argument")
        for parameter in command.params
    }
    assert ours == {each for each in theirs if each != ("--help", False)}


@pytest.mark.parametrize("server", SERVERS)
def test_a_child_loads_no_command_line_library(server: str) -> None:
    program = (
        "import sys, headrace.cli.main\n"
        f"sys.argv = ['headrace', '{server}', '--set', 'nonsense', '--parent-fd', '0']\n"
        "try:\n    headrace.cli.main.main()\nexcept SystemExit as error:\n    print(error)\n"
        "print(*sorted({'typer', 'pydantic', 'rich', 'fastapi'} & sys.modules.keys()))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    complaint, loaded = ran.stdout.splitlines()
    assert complaint.startswith(f"headrace {server}: --set nonsense:")
    assert loaded == ""


def test_a_wrong_option_is_refused_by_both() -> None:
    for more in ([], ["--parent-fd", "0"]):
        command = [sys.executable, "-m", "headrace", "broker", "--nonsense", str(free_port()), *more]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 2
        assert "--nonsense" in ran.stderr
