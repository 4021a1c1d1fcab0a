"""A conversation with a person at a terminal: what they type is answered until they leave."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

from ..ground import EvoClientError
from ..sync.client import Client
from .asking import ask, remark, said
from .choice import choose
from .commands import is_command, obey, tell
from .failures import line_of
from .history import History, state_folder
from .interrupts import deaf, stoppable
from .lines import Lines
from .stats import Figures
from .talk import Talk
from .terminal import say
from .wishes import Wishes

__all__ = ["converse"]


def converse(wishes: Wishes) -> int:
    """Answer what a person types until they end the conversation.

    Returns:
        The exit status.

    Raises:
        ConfigurationError: The wishes do not fit together, or are not enough.
    """
    request = wishes.request()
    history = None if wishes.no_history else History(state_folder() / "history")
    with wishes.client() as client:
        talk = Talk(wishes.model_of(client), request, wishes.instructions())
        say(f"Talking to {talk.model}. /help lists the commands, Ctrl-D ends.")
        with deaf():
            _go_on(client, wishes, talk, Lines(history))
    return 0


def _go_on(client: Client, wishes: Wishes, talk: Talk, lines: Lines) -> None:
    while (text := lines.read()) is not None:
        if not is_command(text):
            _answer(client, wishes, talk, text)
        elif not obey(text, talk):
            break


def _answer(client: Client, wishes: Wishes, talk: Talk, text: str) -> None:
    """Answer a message; the conversation keeps both, or stays as it was."""
    figures = talk.figures = Figures()
    is_good = _ask(client, wishes, talk.asking(text), figures)
    if wishes.stats and figures.completion is not None:
        tell(figures)
    answer = said(figures.completion) if is_good and figures.completion is not None else ""
    if answer:
        talk.keep(text, answer)
    else:
        say("(Your message is taken back; the arrow key up brings it again.)")
    say("")  # sets the answer apart from what is typed next


def _ask(client: Client, wishes: Wishes, asked: Mapping[str, Any], figures: Figures) -> bool:
    """Ask, show what comes, and return whether it is an answer, or the beginning of one."""
    try:
        with (
            choose(as_json=False, plain=wishes.plain, waiting_for=asked["model"]) as show,
            stoppable(),
        ):
            ask(client, asked, show, figures, stream=not wishes.no_stream)
    except KeyboardInterrupt:
        say("(Stopped.)" if figures.completion is None else "(Stopped; this much is kept.)")
    except EvoClientError as error:
        if wishes.debug:
            traceback.print_exc()
        say(f"Error: {line_of(error)}")
        return False
    else:
        if figures.completion is not None:
            remark(figures.completion)
    return True
