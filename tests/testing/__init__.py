"""The demo server: its parts without a socket, then the whole over loopback."""
