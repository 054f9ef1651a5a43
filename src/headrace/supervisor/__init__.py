"""Starts servers in order, waits until each is ready, and stops them so that nothing is left behind.

Every child runs in a session of its own and holds a pipe to its parent: at end of file it stops by itself, so that a
kill -9 of any process leaves no orphan. Programs that know no such pipe, PostgreSQL, run under `watcher`.
"""
