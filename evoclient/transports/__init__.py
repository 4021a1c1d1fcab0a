"""Transports: one HTTP exchange with one library. They know wire and errors, nothing else."""
