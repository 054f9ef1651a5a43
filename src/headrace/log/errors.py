"""What a log refuses or cannot do."""


class StorageError(Exception):
    """The disk refused a write or a read; the text names the file and what the system said."""
