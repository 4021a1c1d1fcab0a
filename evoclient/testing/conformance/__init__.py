"""A suite that a transport passes if it keeps the contract of `evoclient.transports.base`.

Subclass it in a test file and say how a transport is made; pytest does the rest::

    from evoclient.testing import TransportConformance

    class TestMine(TransportConformance):
        def make(self):
            return MyTransport()

`ReplyConformance` is the part of it that needs no socket, for transports that play scripts. A
promise that a transport cannot keep is declared, with the reason, in `exceptions`.
"""

from __future__ import annotations

import sys

_PARTS = "bodies closing connections deadlines errors heads refusals replies"
# Where pytest runs, it shows the values in an assertion that fails, of this package too; it has
# to be told before the assertions are loaded.
if "pytest" in sys.modules:
    sys.modules["pytest"].register_assert_rewrite(*(f"{__name__}.{it}" for it in _PARTS.split()))

from .replies import Plan, ReplyConformance  # noqa: E402 (as above)
from .suite import TransportConformance  # noqa: E402

__all__ = ["Plan", "ReplyConformance", "TransportConformance"]
