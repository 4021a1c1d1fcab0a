"""Records of what servers answer, one module for each resource. Import from the modules."""
