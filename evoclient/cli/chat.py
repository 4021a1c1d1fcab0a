"""`evoclient chat`: one question and its answer, or a conversation with a person."""

from __future__ import annotations

import sys

from ..ground import ConfigurationError
from ..transports.base import Transport
from .asking import ask, remark
from .choice import choose
from .stats import Figures
from .terminal import question, say
from .wishes import Wishes

__all__ = ["ask_once", "chat"]


def chat(wishes: Wishes) -> int:
    """Ask, and show the answer; with nothing to ask and a person there, begin a conversation.

    Returns:
        The exit status.

    Raises:
        ConfigurationError: The wishes do not fit together, or are not enough.
        APIError: There is no good answer; what came of it has been shown.
    """
    # Some processes have no standard input at all.
    if wishes.prompt is None and sys.stdin is not None and sys.stdin.isatty():
        return _converse(wishes)
    return ask_once(wishes)


def _converse(wishes: Wishes) -> int:
    if wishes.as_json:
        raise ConfigurationError(
            "--json writes one answer as one document: give the question as an argument, "
            "or pipe it in."
        )
    # Here, because whoever asks once needs no line editor.
    from .conversation import converse

    return converse(wishes)


def ask_once(wishes: Wishes, transport: str | Transport = "requests") -> int:
    """Ask, and show the answer.

    Args:
        wishes: What is asked, and how the answer is shown.
        transport: What sends the requests: what ``Client(transport=…)`` takes.

    Returns:
        The exit status.

    Raises:
        ConfigurationError: The wishes do not fit together, or are not enough.
        APIError: There is no good answer; what came of it has been shown.
    """
    request = wishes.request()
    user = {"role": "user", "content": question(wishes.prompt, sys.stdin)}
    with wishes.client(transport) as client:
        model = wishes.model_of(client)
        figures = Figures()
        asked = {**request, "model": model, "messages": [*wishes.instructions(), user]}
        try:
            with choose(as_json=wishes.as_json, plain=wishes.plain, waiting_for=model) as show:
                ask(client, asked, show, figures, stream=not wishes.no_stream)
        finally:
            if wishes.stats:
                for line in figures.lines():
                    say(line)
    if not wishes.as_json and figures.completion is not None:
        remark(figures.completion)
    return 0
