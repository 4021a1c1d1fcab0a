"""Measurements; run by ``tox -e bench``, not by the test suite."""
