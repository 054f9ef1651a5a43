"""What the servers' options have in common: settings on the command line, and their log."""

import argparse
import logging
import sys
from pathlib import Path
from typing import Final

from headrace.config import ConfigError

FORMAT: Final = "%(asctime)s %(levelname)s [%(threadName)s] %(name)s: %(message)s"
QUIET: Final = ("kafka", "uvicorn", "asyncio")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of a server that is set up by a file of properties, as its `serve` takes them."""
    parser.add_argument("properties", type=Path, nargs="?")
    parser.add_argument("--set", action="append", dest="settings")
    parser.add_argument("--parent-fd", type=int)


def log_to_stderr() -> None:
    """One line a record, without what the libraries say of every day."""
    logging.basicConfig(level=logging.INFO, format=FORMAT, stream=sys.stderr)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def set_level(text: str | None) -> None:
    """The level of the log. Raises ConfigError for one that there is not."""
    level = (text or "INFO").upper()
    if level not in logging.getLevelNamesMapping():
        raise ConfigError(f"headrace.log.level={level}: write DEBUG, INFO, WARN or ERROR")
    logging.getLogger().setLevel(level)


def given_settings(settings: list[str]) -> dict[str, str]:
    """The properties of `--set KEY=VALUE`. Raises ConfigError for one that is none."""
    given = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"--set {setting}: write it as KEY=VALUE")
        given[key.strip()] = value
    return given
