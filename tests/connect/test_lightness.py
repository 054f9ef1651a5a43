"""What the worker's process may not load: that is for the task hosts (memory)."""

import subprocess
import sys


def test_the_worker_loads_no_columns_and_no_database_driver():
    program = (
        "import sys, headrace.serve.connect, headrace.connect.rest.app, headrace.http.server, "
        "headrace.connect.runtime.server\n"
        "print(*sorted({'pyarrow', 'polars', 'numpy', 'sqlalchemy', 'psycopg'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""
