"""Our own Kafka connection, and the clients that are built on it."""
