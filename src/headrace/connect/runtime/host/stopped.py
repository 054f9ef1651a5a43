"""Stopped: how a wait ends when the task is to stop."""


class Stopped(Exception):
    """The task was told to stop while it waited: no failure."""
