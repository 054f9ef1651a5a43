"""Runs what compose files name, as processes of this machine: `headrace up -f`, `down`, `ps`, `logs`, `exec`, `shell`.

A project is a folder (`folder.py`): what is wanted (`order.py`), what is (`state.py`), data and logs. One supervisor
process (`supervise.py`) owns its servers; the commands write what is wanted, read what is, and send it signals.
"""
