"""Record batches and columns: Kafka's records made of Arrow columns, and read into them. Sans-IO, for task hosts."""
