"""A plugin whose library is missing."""

raise ImportError("No module named 'libdoesnotexist'")
