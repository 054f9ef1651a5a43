"""The demo: two PostgreSQL servers, the broker and the worker, rows flowing, and a count of what arrived.

`run` is the whole of it; `generator` fills the source, `arrivals` watches the target, `comparison` counts at the end,
`view` shows.
"""
