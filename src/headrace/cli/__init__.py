"""The `headrace` command: one module per command, its function named `command`.

A module here is a command of its own name as soon as it exists; `main` finds it, and imports only the one that is asked
for, so that a server does not pay for what another command imports.
"""
