"""The rules of the house, read from the source with `ast`, each tried on a bad example first."""
