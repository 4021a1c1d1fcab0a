"""The tree, the reading of error bodies, hints, and the judge."""
