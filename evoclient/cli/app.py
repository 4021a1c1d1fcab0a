"""The commands and their options, with click."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import click

from .._version import __version__
from .completion import PROGRAM, SHELLS, own_shell, providers, script
from .failures import INTERRUPTED, MISUSED, guarded
from .terminal import prepare

__all__ = ["run"]

_F = TypeVar("_F", bound=Callable[..., Any])

_DEBUG: Final = "evoclient.debug"


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status.

    Args:
        arguments: What stands behind the command's name.
    """
    prepare()
    try:
        status = evoclient.main(list(arguments), prog_name=PROGRAM, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:  # Ctrl-C before a command has begun
        return INTERRUPTED
    return status if isinstance(status, int) else 0


def _remember(context: click.Context, _parameter: click.Parameter, given: bool) -> None:
    if given:
        context.meta[_DEBUG] = True


def _debug_option(command: _F) -> _F:
    """Take ``--debug``, before the command's name or behind it."""
    return click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        callback=_remember,
        help="Show tracebacks and log records on stderr.",
    )(command)


#: What `chat` and `record` take alike, in the order of their help.
_ASKING: Final = (
    click.option("-m", "--model", help="The model; default the provider's."),
    click.option("-s", "--system", help="Instructions for the model."),
    click.option(
        "-o",
        "--option",
        "options",
        nargs=2,
        multiple=True,
        metavar="KEY VALUE",
        help="An option of the request, such as “-o temperature 0.2”; JSON where it is JSON. "
        "May be repeated.",
    ),
    click.option(
        "--provider",
        shell_complete=providers,
        help="A preset, such as openrouter or ollama; default the one with a key.",
    ),
    click.option("--base-url", metavar="URL", help="The address of the API."),
    click.option("--demo", is_flag=True, help="Talk to a demo server that is started for it."),
    click.option("--no-stream", is_flag=True, help="Wait for the whole answer."),
    click.option("--json", "as_json", is_flag=True, help="Write the completion as JSON."),
    click.option(
        "--plain", is_flag=True, help="Write the answer's text alone, also to a terminal."
    ),
    click.option("--stats", is_flag=True, help="Tell times, speed and tokens on stderr."),
)


def _asking_options(command: _F) -> _F:
    """Take what says whom to ask, how, and how the answer is shown."""
    for option in reversed(_ASKING):
        command = option(command)
    return command


@click.group(invoke_without_command=True)
@click.version_option(__version__, message="evoclient %(version)s")
@_debug_option
@click.pass_context
def evoclient(context: click.Context) -> int:
    """Talk to chat APIs that speak the OpenAI dialect."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        return MISUSED
    return 0


@evoclient.command()
@click.argument("prompt", required=False)
@_asking_options
@click.option("--no-history", is_flag=True, help="Neither read nor keep what was typed.")
@_debug_option
@click.pass_context
def chat(context: click.Context, /, **given: Any) -> int:
    """Ask a question and show the answer while it arrives.

    The question is PROMPT, or what is piped in; with both, PROMPT comes first. With neither, at a
    terminal, a conversation begins; /help lists what can be typed there. On a terminal the
    answer is shown as Markdown, elsewhere it is written as plain text. Ctrl-C stops it and keeps
    what came. Keys are read from the environment alone, such as OPENROUTER_API_KEY.
    """

    def work() -> int:
        from .chat import chat as ask
        from .wishes import Wishes

        return ask(Wishes(**given, debug=debug))

    debug = _DEBUG in context.meta
    return guarded(work, debug=debug)


@evoclient.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.argument("prompt", nargs=-1)
@_asking_options
@click.option("--overwrite", is_flag=True, help="Record over a file that is there.")
@_debug_option
@click.pass_context
def record(
    context: click.Context, /, file: str, prompt: tuple[str, ...], overwrite: bool, **given: Any
) -> int:
    """Ask as “chat” does, and record in FILE what the server sends.

    The recording is a cassette: JSON lines with each block of the answer and its time, without
    keys. It is written however the answer ends. “evoclient replay FILE” plays it, and
    evoclient.testing.Cassette makes a test of it.
    """

    def work() -> int:
        from .record import record as ask_and_record
        from .wishes import Wishes

        question = " ".join(prompt) if prompt else None
        wishes = Wishes(**given, prompt=question, no_history=True, debug=debug)
        return ask_and_record(file, wishes, overwrite=overwrite)

    debug = _DEBUG in context.meta
    return guarded(work, debug=debug)


@evoclient.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="How fast to play: 2 takes half the time.",
)
@click.option("--no-wait", is_flag=True, help="Play as fast as possible.")
@click.option("--raw", is_flag=True, help="Write the bytes that the server sent.")
@_debug_option
@click.pass_context
def replay(context: click.Context, /, **given: Any) -> int:
    """Play the answers in FILE, which “record” has made, as they came. Nobody is asked."""

    def work() -> int:
        from .replay import replay as play

        return play(**given)

    return guarded(work, debug=_DEBUG in context.meta)


@evoclient.command()
@click.option(
    "--provider",
    shell_complete=providers,
    help="A preset, such as openrouter or ollama; default the one with a key.",
)
@click.option("--base-url", metavar="URL", help="The address of the API.")
@click.option("--demo", is_flag=True, help="Ask a demo server that is started for it.")
@click.option("--filter", "wanted", metavar="TEXT", help="Only models with TEXT in id or name.")
@click.option("--json", "as_json", is_flag=True, help="Write what the server tells, as JSON.")
@_debug_option
@click.pass_context
def models(context: click.Context, /, **given: Any) -> int:
    """List the models of a server: id, context, and price per million tokens where it tells.

    On a terminal it is a table; elsewhere a line for each model, its fields between tabs. Keys
    are read from the environment alone, such as OPENROUTER_API_KEY.
    """

    def work() -> int:
        from .models import models as show_models

        return show_models(**given)

    return guarded(work, debug=_DEBUG in context.meta)


@evoclient.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="The port to listen on; 0 takes a free one.",
)
@click.option(
    "--pace",
    type=click.FloatRange(min=0),
    default=0.03,
    show_default=True,
    help="Seconds between the pieces of a stream.",
)
@click.option("--api-key", help="The key that clients must bring; default none.")
@_debug_option
@click.pass_context
def serve(context: click.Context, /, **given: Any) -> int:
    """Run the demo server: an OpenAI-compatible server without a model behind it."""

    def work() -> int:
        from .demo import serve as run_server

        return run_server(**given)

    return guarded(work, debug=_DEBUG in context.meta)


@evoclient.command()
@click.argument("shell", type=click.Choice(SHELLS), required=False)
def completion(shell: str | None) -> None:
    """Print what makes a shell complete this command; default the user's own shell.

    Load it where the shell starts: eval "$(evoclient completion bash)" in ~/.bashrc, the same with
    zsh in ~/.zshrc, or evoclient completion fish | source in ~/.config/fish/config.fish.
    """
    shell = shell or own_shell()
    if shell is None:
        raise click.UsageError(f"Name the shell: {', '.join(SHELLS)}.")
    click.echo(script(evoclient, shell))
