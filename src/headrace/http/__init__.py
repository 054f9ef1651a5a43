"""What the servers that speak HTTP share: the listener, the thread that serves, and paths with a slash at the end."""
