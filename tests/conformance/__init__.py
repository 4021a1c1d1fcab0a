"""Tests of the transports that are shipped, by the suite that plugins run too."""
