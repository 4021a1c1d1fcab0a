"""Scripted conversations through both colours."""
