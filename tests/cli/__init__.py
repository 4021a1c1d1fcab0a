"""Tests of the command `evoclient`."""
