"""Typed samples: what a user's type checker sees, read by pyright and mypy and never run."""
