"""No key, secret or token shows anywhere, whatever goes wrong."""
