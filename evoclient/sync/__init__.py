"""The synchronous front. It only waits: what is decided is decided below."""
