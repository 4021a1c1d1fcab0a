"""Endpoints: a request, and how to read its answer."""
