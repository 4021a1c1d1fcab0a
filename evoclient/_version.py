"""The version, in the one place where code finds it."""

__version__ = "0.1.0"
