"""The floors: every room of the package and how high it lies.

A module imports only from lower floors or from its own folder. A new room needs a line here; the
direction does not change. `docs/topics/architecture` draws the same tree with words.
"""

from typing import Final

FLOORS: Final[dict[str, float]] = {
    "_version": 0,
    "ground": 0,
    "wire": 0.5,  # a completion keeps the record of its reply
    "models": 1,
    "providers": 1,
    "urls": 1,
    "display": 2,
    "errors": 2,
    "guard": 2,
    "log": 2,
    "partial_json": 2,
    "steps": 2,
    "environment": 2,
    "content": 3,
    "limits": 3,
    "retry": 3,
    "streaming": 3,
    "transports": 3,
    "usage": 3,
    "flights": 3.5,  # waits for the limits
    "auth": 4,
    "budget": 4,
    "cache": 4,
    "endpoints": 4,
    "headers": 4,
    "settings": 4.2,  # holds an auth scheme
    "dispatch": 4.5,
    "answers": 4.5,
    "exchange": 5,
    "recovery": 5,
    "reopen": 6,
    "series": 6,
    "policies": 6,
    "credentials": 6,
    "chat": 7,
    "configuration": 7,
    "view": 7,
    "overlay": 7.5,  # lays options over what was configured
    "aio": 8,
    "sync": 8,
    "testing": 9,
    "web": 9,
    "__init__": 10,
    "cli": 10,
    # Above the command, because calling it is all it does.
    "__main__": 11,
}

# Up to this floor a module neither waits nor knows how anything is carried.
HIGHEST_PURE_FLOOR: Final = 7
# These two wait and lock for the others.
IMPURE_ROOMS: Final = frozenset({"guard", "transports"})

# What the pure floors do not import, by the first part of the module's name.
IMPURE_MODULES: Final = frozenset(
    {
        "aiohttp",
        "asyncio",
        "concurrent",
        "httpx",
        "httpx2",
        "requests",
        "socket",
        "threading",
        "urllib3",
    }
)
# The step that waits for a single flight has to name what it waits for.
ALLOWED_NAMES: Final = frozenset({("steps", "concurrent.futures", "Future")})

# Where in `transports/` an HTTP library may be named.
LIBRARY_FILES: Final[dict[str, str]] = {
    "aiohttp": "with_aiohttp",
    "httpx": "with_httpx",
    "httpx2": "with_httpx",
    "requests": "with_requests",
    "urllib3": "with_requests",
}

# Rooms that know less than their floor would let them.
KNOWS_ONLY: Final[dict[str, frozenset[str]]] = {
    "transports": frozenset({"errors", "ground", "wire"}),
}
KNOWS_NOT: Final[dict[str, frozenset[str]]] = {
    "aio": frozenset({"sync"}),
    "auth": frozenset({"chat", "endpoints", "streaming"}),
    "streaming": frozenset({"auth", "transports"}),
    "sync": frozenset({"aio"}),
}

# One look at a file or a function should be enough.
MOST_LINES_OF_A_MODULE: Final = 400
MOST_LINES_OF_A_FUNCTION: Final = 60
