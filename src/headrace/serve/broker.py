"""One Kafka broker in the foreground."""

import argparse
import asyncio
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Any

from headrace.broker.broker import Start, run
from headrace.broker.config import BROKER_CONFIGS, BrokerConfig, Listener, refuse_unknown
from headrace.config import ConfigError, read_properties

logger = logging.getLogger("headrace.broker")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `headrace broker`, as `serve` takes them."""
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--listener", action="append")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--set", action="append", dest="settings")
    parser.add_argument("--parent-fd", type=int)


def serve(
    data_dir: Path | None,
    listener: list[str] | None,
    config: Path | None,
    settings: list[str] | None,
    parent_fd: int | None,
) -> None:
    """Run a broker until SIGTERM, Ctrl-C or the end of file of `parent_fd`. Raises ConfigError."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    configured = BrokerConfig(_properties(config, listener, settings))
    _run(Start(configured, _directory(data_dir, configured), _say_ready, parent_fd))
    _leave_late_threads()


def _leave_late_threads() -> None:
    """Python would wait for a thread that a slow disk holds; the end is bounded in time (invariant 6)."""
    if any(thread.name.startswith("disk") for thread in threading.enumerate()):
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)


def _run(start: Start) -> None:
    try:
        import uvloop
    except ImportError:
        asyncio.run(run(start))
    else:
        uvloop.run(run(start))


def _properties(config: Path | None, listeners: list[str] | None, overrides: list[str] | None) -> dict[str, Any]:
    properties: dict[str, Any] = dict(read_properties(config)) if config is not None else {}
    passed_over = BROKER_CONFIGS.unknown(properties)
    if passed_over:
        logger.info("Not used from %s: %s.", config, ", ".join(passed_over))
    given = dict(_pair(text) for text in overrides or [])
    refuse_unknown(given)
    if listeners:
        given["listeners"] = ",".join(listeners)
    return {**properties, **given}


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"--set {text}: KEY=VALUE would do, such as --set num.partitions=3")
    return key.strip(), value


def _directory(data_dir: Path | None, settings: BrokerConfig) -> Path:
    if data_dir is not None:
        return data_dir
    directories: list[str] = settings.log_dirs or settings.log_dir or []
    if not directories:
        raise ConfigError("No data directory: give one with --data-dir DIR, or log.dirs in the properties file")
    if len(directories) > 1:
        text = ",".join(directories)
        raise ConfigError(f"Invalid value {text} for configuration log.dirs: one directory would do")
    return Path(directories[0])


def _say_ready(listeners: list[Listener]) -> None:
    where = ", ".join(f"{item.name}://{item.advertised_host}:{item.advertised_port}" for item in listeners)
    print(f"headrace broker ready: {where}", flush=True)
