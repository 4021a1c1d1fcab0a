"""One client through threads, event loops, processes, pickles and its own end."""
