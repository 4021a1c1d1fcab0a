"""Tests of the records and the codec."""
