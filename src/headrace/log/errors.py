"""What a log refuses, by what is wrong with the batch, and what it cannot do."""


class StorageError(Exception):
    """The disk refused a write or a read; the text names the file and what the system said."""


class BatchRefused(ValueError):
    """A batch that is not appended; nothing of it is in the log. The text is for the producer's eyes."""


class CorruptBatch(BatchRefused):
    """The checksum or the size does not fit the bytes."""


class InvalidBatch(BatchRefused):
    """The header contradicts itself, or asks for what clients may not."""


class IncompleteBatch(InvalidBatch):
    """Not exactly one whole batch of magic 2."""


class KeyMissing(InvalidBatch):
    """Records without a key for a compacted topic; `indexes` are theirs in the batch."""

    def __init__(self, text: str, indexes: list[int]) -> None:
        super().__init__(text)
        self.indexes = indexes


class BatchTooLarge(BatchRefused):
    """Larger than `max.message.bytes`."""


class BatchLargerThanSegment(BatchRefused):
    """Larger than `segment.bytes`."""


class UnsupportedCompression(BatchRefused):
    """A codec that does not exist, or that this version of the request does not know."""


class InvalidTimestamp(BatchRefused):
    """Outside `message.timestamp.before.max.ms` and `message.timestamp.after.max.ms`."""


class OutOfOrderSequence(BatchRefused):
    """A gap in an idempotent producer's sequence numbers."""


class ProducerFenced(BatchRefused):
    """An epoch older than one seen for this producer id."""


class OffsetOutOfRange(ValueError):
    """An offset below the log's start or beyond its end."""
