"""librdkafka as our servers use it: client settings under Java's names, and compacted topics that are read as logs.

Below the servers: the worker keeps its internal topics by it, the registry its schemas.
"""
