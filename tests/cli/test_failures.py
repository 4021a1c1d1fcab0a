"""What ends the command, as a status and a line."""

from __future__ import annotations

import pytest

from evoclient.cli.failures import guarded
from evoclient.ground import ConfigurationError, EvoClientError


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (EvoClientError("first\n  second"), 1, "first second"),
        (ConfigurationError("no"), 2, "no"),
        (ConfigurationError("no", argument="model"), 2, "no (On the command line: -m.)"),
        (ConfigurationError("no", argument="timeout"), 2, "no"),
        (OSError(28, "No space left"), 1, "[Errno 28] No space left"),
        (LookupError("x"), 1, "unexpected LookupError: x (--debug shows where)"),
    ],
    ids=lambda given: type(given).__name__,
)
def test_an_error_is_a_status_and_a_line(
    error: Exception, status: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each kind of error has its status and is told in one line."""

    def fail() -> int:
        raise error

    assert guarded(fail, debug=False) == status
    assert capsys.readouterr().err == f"Error: {line}\n"


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt(), 130), (BrokenPipeError(), 141)]
)
def test_who_leaves_needs_no_words(
    error: BaseException, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C and a reader that has left are statuses, and nothing is said."""

    def leave() -> int:
        raise error

    assert guarded(leave, debug=True) == status
    assert capsys.readouterr().err == ""
