"""The logger ``evoclient``. Nothing is configured at import but a handler that does nothing."""

from __future__ import annotations

import logging
from typing import Final

__all__ = ["logger"]

logger: Final = logging.getLogger("evoclient")
logger.addHandler(logging.NullHandler())
