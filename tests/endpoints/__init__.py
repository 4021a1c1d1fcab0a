"""Calls: what is asked, and how the answer is read."""
