"""A plugin that offers no transport at all."""
