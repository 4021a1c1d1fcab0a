"""`python -m evoclient` is the command `evoclient`."""

from __future__ import annotations

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
