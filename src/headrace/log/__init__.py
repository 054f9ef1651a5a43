"""The durable log: batch headers, segments, indexes, partition logs, recovery, producer state. Knows no API.

Everything but `records` and the jobs that run in threads belongs to the broker's loop.
"""

from headrace.log.errors import StorageError

__all__ = ["StorageError"]
