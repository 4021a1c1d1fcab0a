"""The table of fault scenarios: what servers do wrong, and what a careful user wants then."""
