"""Errors: the tree, and the judge that picks one for a reply."""
