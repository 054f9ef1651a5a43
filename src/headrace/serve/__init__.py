"""The servers as processes of their own: options, log, start, and the end that a signal or the parent's end brings.

Knows nothing of `cli`, whose library takes 0.2 s of CPU to import: a server that a supervisor starts goes without it.
"""

from typing import Final

SERVERS: Final = ("broker", "connect", "registry")
"""A module each."""
