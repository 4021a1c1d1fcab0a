"""The whole suite, put together."""

from __future__ import annotations

from .bodies import BodyScenarios
from .closing import ClosingScenarios
from .connections import ConnectionScenarios
from .deadlines import DeadlineScenarios
from .errors import ErrorScenarios
from .heads import HeadScenarios
from .refusals import RefusalScenarios
from .replies import ReplyConformance

__all__ = ["TransportConformance"]


class TransportConformance(
    ReplyConformance,
    BodyScenarios,
    ClosingScenarios,
    ConnectionScenarios,
    DeadlineScenarios,
    ErrorScenarios,
    HeadScenarios,
    RefusalScenarios,
):
    """Every scenario, against a server that sends exactly the bytes a scenario wants.

    Attributes:
        exceptions: Scenarios that are left out, each with the reason, by the name of the method.
    """
