"""The contenders: each reads the same streams in its own way, in a process of its own.

A module here has a `CONTENDER`, see `shape.Contender`. It imports its library inside functions, so
that what the import costs can be measured.
"""
