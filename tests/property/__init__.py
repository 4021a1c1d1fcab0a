"""What holds for any input, and any cut of it."""
