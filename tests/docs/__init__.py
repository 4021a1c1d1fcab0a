"""The documentation does what it says, and says what the code does."""
