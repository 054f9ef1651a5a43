"""The watcher's own parts; what it does for servers is tested with them."""

import fcntl
import os
import resource

from headrace.supervisor.watcher import readable


def test_a_descriptor_above_1023_is_waited_for_as_any_other() -> None:
    """Fails with `select`, which a watcher's parent with a thousand open files would break."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    source, sink = os.pipe()
    high = fcntl.fcntl(source, fcntl.F_DUPFD, 1100)
    try:
        assert readable([high, source], 0) == []
        os.write(sink, b"x")
        assert readable([high], 5) == [high]
        os.close(sink)
        os.read(high, 1)
        assert readable([high], 5) == [high]  # the end can be read, too
    finally:
        os.close(high)
        os.close(source)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
