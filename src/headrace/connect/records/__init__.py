"""Record batches (magic 2) to columns and back, without an object a record. Sans-IO; task hosts alone import it."""
