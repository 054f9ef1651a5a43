"""OffsetFile: the source offsets of a standalone worker, in the file that Java's FileOffsetBackingStore keeps them in.

Thread rule: any thread may write; a lock makes one of them wait. A write replaces the file as a whole, so that a crash
leaves the old one or the new one, never half of one (Java's writes in place).
"""

import logging
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from headrace.config import ConfigError
from headrace.connect.stores import java_map
from headrace.connect.stores.codec import Record

log = logging.getLogger(__name__)

KEY: Final = "offset.storage.file.filename"


class OffsetFile:
    """One file; `read` once, before anything is put."""

    def __init__(self, path: Path) -> None:
        # A link is followed, for replacing it would leave the file it names behind.
        self.path = path.resolve()
        self._entries: java_map.Entries = {}
        self._lock = threading.Lock()

    def read(self) -> list[Record]:
        """What the file holds; nothing where there is none yet. Raises ConfigError that names the file and the fix."""
        if not os.access(self.path.parent, os.W_OK | os.X_OK):
            raise ConfigError(
                f"{KEY}={self.path}: the folder {self.path.parent} is not there or cannot be written to; make it, or "
                "give another file"
            )
        try:
            self._entries = java_map.load(self.path.read_bytes())
        except FileNotFoundError:
            self._entries = {}
        except EOFError as error:
            # Java takes such a file for an empty one without a word.
            log.warning("%s=%s: %s, so no offset is known; sources begin anew", KEY, self.path, error)
            self._entries = {}
        except (OSError, java_map.NotAMap) as error:
            raise ConfigError(
                f"{KEY}={self.path} cannot be read: {error}. Give the file that a standalone worker wrote, or one that "
                "is not there yet"
            ) from error
        return list(self._entries.items())

    def put(self, records: Iterable[Record]) -> None:
        """Set offsets, None to reset one, and write the file. Raises OSError; then nothing is set."""
        with self._lock:
            entries = {**self._entries, **dict(records)}
            self._write(java_map.dump(entries))
            self._entries = entries

    def _write(self, data: bytes) -> None:
        new = self.path.with_name(f".{self.path.name}.new")
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)
