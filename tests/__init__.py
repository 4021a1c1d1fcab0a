"""The tests: a mirror of the package, and rooms of their own for what concerns all of it."""
