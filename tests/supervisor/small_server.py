"""A small HTTP server that behaves as our servers do, or as told not to. Run as a script by the tests.

`small_server.py NAME PORT EVENTS [MANNER] --parent-fd N`; writes `NAME started` and `NAME stopped` into EVENTS. MANNER:
`stubborn` ignores SIGTERM, `dying` ends with status 3 at the first request.
"""

import http.server
import os
import signal
import sys
import threading
from pathlib import Path

name, port, events, *manner = sys.argv[1 : sys.argv.index("--parent-fd")]
parent_fd = int(sys.argv[sys.argv.index("--parent-fd") + 1])


def note(what: str) -> None:
    with Path(events).open("a") as file:
        file.write(f"{name} {what}\n")


def stop(*_: object) -> None:
    note("stopped")
    os._exit(0)


def watch_parent() -> None:
    while os.read(parent_fd, 1):
        pass
    note("orphaned")
    os._exit(0)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if "dying" in manner:
            print(f"{name}: the disk is on fire", flush=True)
            os._exit(3)
        self.send_response(200)
        self.end_headers()


signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in manner else stop)
threading.Thread(target=watch_parent, daemon=True).start()
server = http.server.HTTPServer(("127.0.0.1", int(port)), Handler)
note("started")
server.serve_forever()
