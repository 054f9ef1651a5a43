"""What a plug-in may raise. The text is what a person reads: it names the thing and the fix, and never a secret."""


class ConnectError(Exception):
    """A failure that stops the task: its status becomes FAILED, with this text first in the trace."""


class RetriableError(ConnectError):
    """A passing failure: the same call is made again after a back-off."""


class DataError(ConnectError):
    """Records that cannot be handled: the batch is bisected until only the bad ones are out (invariant 5)."""
