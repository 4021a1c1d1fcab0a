"""The records of the built-in providers."""
