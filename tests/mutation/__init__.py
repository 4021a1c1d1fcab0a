"""Mutation testing: small faults are put into the package one by one, and the tests must notice.

``tox -e mutation`` tries a seeded sample. `changes` makes the faults, `tables` says which tests
judge which module, `running` runs them.
"""
