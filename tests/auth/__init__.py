"""Auth schemes, run without a driver."""
