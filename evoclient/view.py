"""What a stream and a client show of themselves: the same in both colours, and no waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .auth.base import TokenInfo
from .credentials import Given
from .exchange import Opened, completion_of
from .ground import MASK, redacted
from .models.chat import ChatCompletion
from .models.chunks import ChatCompletionChunk
from .models.finish import Finish
from .models.usage import Usage
from .providers.base import Provider
from .reopen import Onward, OpenedStream, untold
from .settings import Settings
from .streaming.callbacks import Callbacks
from .streaming.ending import Outcome
from .streaming.metrics import StreamMetrics
from .streaming.passage import Item
from .wire import Response

if TYPE_CHECKING:
    from .streaming.events import StreamEvent
    from .streaming.telling import EventReader

__all__ = ["ClientView", "StreamView"]

#: After these ends, nothing is missing but perhaps a finish reason.
_WHOLE: Final = (Outcome.complete, Outcome.unconfirmed)


class StreamView:
    """What is known of a stream, at any time."""

    def __init__(self, stream: OpenedStream) -> None:
        """Take over a stream whose reply is open."""
        self._stream = stream
        self._opened = stream.opened
        self._onward: Onward | None = None  # what was decided at an end, until it is done
        self._is_closed = False

    @property
    def completion(self) -> ChatCompletion:
        """The completion so far; the whole one at the end."""
        return completion_of(self._opened, self._stream.metrics)

    @property
    def metrics(self) -> StreamMetrics:
        """How fast it is, in times, gaps, rates and attempts."""
        return self._stream.metrics

    @property
    def usage(self) -> Usage | None:
        """The tokens that the server counted, or None where it has not told (yet)."""
        return self._opened.pipeline.stages.assembly.usage

    @property
    def finish_reason(self) -> str | None:
        """The server's own word for why choice 0 ended, or None before its end."""
        return self.completion.finish_reason

    @property
    def native_finish_reason(self) -> str | None:
        """The word of the provider behind a router for why choice 0 ended, or None."""
        return self.completion.native_finish_reason

    @property
    def stop_sequence(self) -> str | None:
        """The stop sequence that ended choice 0, where we or the server know it; else None."""
        return self.completion.stop_sequence

    @property
    def finish(self) -> Finish | None:
        """Our judgement of `finish_reason`, or None before the end."""
        return self.completion.finish

    @property
    def outcome(self) -> Outcome | None:
        """How the stream ended, or None while it goes on."""
        end = self._opened.pipeline.end
        return None if end is None else end.outcome

    @property
    def response(self) -> Response:
        """Status, headers, request id and time to the head of the reply."""
        return self._opened.response

    @property
    def request_id(self) -> str | None:
        """The server's name for the request, or None."""
        return self._opened.response.request_id

    def __repr__(self) -> str:
        """Show how far it is."""
        pipeline = self._opened.pipeline
        state = "open" if pipeline.end is None else pipeline.end.outcome.value
        return f"<{type(self).__name__} {state}, {pipeline.delivered} chunks>"

    def _tells_all(self, does: bool) -> None:
        """Say whether the reader is told more than chunks."""
        passage = self._opened.pipeline.passage
        passage.tells_all = does
        # A callback has shown its text, and is not told that it is void.
        passage.takes_back = does and not self._stream.announcer.wants_chunks

    def _last_events(self, reader: EventReader) -> list[StreamEvent]:
        """Return what is to be told at the end; nothing where the answer may be short."""
        return reader.finish() if self.outcome in _WHOLE else []

    def _past_retries(self) -> list[Item]:
        """Return what was tried before a reply was had, where the reader wants to know."""
        return untold(self._stream.retries, self._opened.pipeline)

    def _tell(self, item: Item) -> None:
        """Tell the callbacks of a chunk."""
        if isinstance(item, ChatCompletionChunk):
            item.metrics = self._stream.metrics
            self._stream.announcer.item(item)

    def _past(self, opened: Opened) -> list[Item]:
        """Read another reply from now on; return what its opening has to tell."""
        does = self._opened.pipeline.passage.tells_all
        self._opened = opened
        self._tells_all(does)
        if self._is_closed:
            self.close()
        return self._past_retries()

    def close(self) -> object:
        """Stop reading and close the connection."""
        raise NotImplementedError

    def _was_forgotten(self) -> bool:
        """Return whether nobody read the stream to its end or closed it."""
        # An object whose construction failed has no attributes.
        is_open = not getattr(self, "_is_closed", True)
        return is_open and self._opened.pipeline.end is None


class ClientView:
    """What is known of a client."""

    _given: Given
    _settings: Settings

    @property
    def base_url(self) -> str:
        """Where requests go."""
        return self._settings.base_url

    @property
    def provider(self) -> Provider:
        """The preset in use."""
        return self._settings.provider

    @property
    def callbacks(self) -> Callbacks:
        """Who hears of the client's calls; functions can be added to it."""
        return self._settings.callbacks

    def clear_callbacks(self) -> None:
        """Take all functions out of `callbacks`, from the next call on."""
        self._settings.callbacks.clear()

    @property
    def model(self) -> str | None:
        """The model of calls that name none."""
        return self._settings.model

    def current_token_info(self) -> TokenInfo:
        """Return what is known of the credential, never the credential; nothing is sent."""
        return self._settings.auth.token_info()

    def headers(self) -> dict[str, str]:
        """Return the headers of the client's requests, credentials masked; nothing is sent."""
        headers = redacted(self._settings.standing.values())
        if self.current_token_info().has_token:
            headers["Authorization"] = MASK
        return headers

    def __repr__(self) -> str:
        """Show where requests go, never a credential."""
        if not hasattr(self, "_settings"):  # a traceback shows a client that could not be made
            return f"<{type(self).__name__}>"
        return f"<{type(self).__name__} {self._settings.provider.name} {self._settings.base_url}>"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle and copy as the arguments, where no credential is among them.

        What is made of a pickle is a new client, which reads the environment of its process.

        Raises:
            TypeError: An argument must not or cannot be pickled; it is named.
        """
        return _made_anew, (type(self), self._given.for_a_pickle(type(self).__name__))


def _made_anew(kind: type[ClientView], arguments: dict[str, Any]) -> ClientView:
    return kind(**arguments)
