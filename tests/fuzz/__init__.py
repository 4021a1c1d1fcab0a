"""Fuzzing: whatever comes from outside raises our errors only, ends, and takes linear time.

`targets` says what is tried and what must hold; `corpus/` keeps the inputs to begin with. The
default suite replays them and mutates them a little (`test_fuzz`); ``tox -e fuzz`` searches with
atheris for an hour. ``python -m tests.fuzz.search TARGET FILE`` tries a finding again; its file is
copied into the corpus together with what mends it.
"""
