"""Transports over mocks, real sockets and scripts."""
