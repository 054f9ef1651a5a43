"""The APIs of the coordinator of groups, one file per API key: they translate between the wire and `messages`."""
