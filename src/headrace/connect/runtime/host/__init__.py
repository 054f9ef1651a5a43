"""Inside a task host: connectors and tasks, their producers and consumers. The worker imports nothing of this."""
