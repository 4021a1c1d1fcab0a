"""The stream: bytes go in, chunks come out. Stages with `feed` and `finish`; no HTTP."""
