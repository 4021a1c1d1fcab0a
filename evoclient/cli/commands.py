"""What a person may say to the program, and not to the model: lines that begin with a slash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from ..ground import elide
from .stats import Figures
from .talk import Talk
from .terminal import say

__all__ = ["is_command", "obey", "tell"]

_HELP: Final = """\
/help         show this
/clear        forget what was said; instructions stay
/model NAME   ask another model from here on
/system TEXT  give other instructions; none takes them away
/undo         take the last question and its answer back
/save FILE    write the messages as JSON lines, a new file
/stats        tell the figures of the last answer
/quit         end, as Ctrl-D does

A backslash at the end of a line goes on in the next one.
A space before the slash sends the line to the model.
Ctrl-C stops an answer; what came of it is kept."""

#: Characters of a question that remind a person which one it was.
_REMINDER: Final = 40


def is_command(text: str) -> bool:
    """Return whether a text is for the program. Several lines never are: they were pasted."""
    return text.startswith("/") and "\n" not in text


def obey(text: str, talk: Talk) -> bool:
    """Do what a command says, and return whether the conversation goes on."""
    name, _, rest = text.partition(" ")
    rest = rest.strip()
    match name:
        case "/help":
            say(_HELP)
        case "/clear":
            talk.clear()
            say("(The conversation begins anew.)")
        case "/model":
            talk.model = rest or talk.model
            say(f"(The model is {talk.model}.)")
        case "/system":
            talk.instruct(rest)
            say("(The instructions are set.)" if rest else "(There are no instructions.)")
        case "/undo":
            _undo(talk)
        case "/save":
            _save(talk, rest)
        case "/stats":
            tell(talk.figures)
        case "/quit":
            return False
        case _:
            say(f"There is no command {name}. /help lists them; a space before it sends the line.")
    return True


def tell(figures: Figures | None) -> None:
    """Tell the figures of an answer."""
    lines = [] if figures is None else figures.lines()
    for line in lines or ["(There is no answer to tell about.)"]:
        say(line)


def _undo(talk: Talk) -> None:
    question = talk.undo()
    if question is None:
        say("(There is nothing to take back.)")
        return
    reminder = elide(" ".join(question.split()), _REMINDER)
    say(f"(Taken back: “{reminder}” and its answer.)")


def _save(talk: Talk, name: str) -> None:
    if not name:
        say("Name a file: /save FILE")
        return
    try:
        # Never over something that is there: a slip of the finger would destroy it. Half of a
        # surrogate pair, which a server may send, is replaced.
        with Path(name).expanduser().open("x", encoding="utf-8", errors="replace") as file:
            for message in talk.messages:
                file.write(f"{json.dumps(message, ensure_ascii=False)}\n")
    except (OSError, RuntimeError) as error:  # the latter: a home that nobody knows
        say(f"Error: {error}")
    else:
        say(f"(Saved in {name}: {len(talk.messages)} messages.)")
