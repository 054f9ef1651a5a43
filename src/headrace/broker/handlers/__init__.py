"""One file per API key; the coordinator of groups keeps its own in `broker/groups/handlers`."""
