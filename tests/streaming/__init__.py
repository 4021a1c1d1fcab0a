"""Tests of the stages of a stream."""
