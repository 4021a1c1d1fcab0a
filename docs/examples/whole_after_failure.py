"""Where a stream fails, ask the same without streaming, and a faster model."""

import logging
import os

from evoclient import APIError, APITimeoutError, ChatCompletion, Client, Timeouts

MESSAGES = [{"role": "user", "content": "Count to 20"}]

#: A model that answers quickly, where you have one; else the model of the client.
FAST_MODEL = os.environ.get("FAST_MODEL")

#: The longest silence in a stream, in seconds.
IDLE = float(os.environ.get("IDLE_LIMIT", "20"))

logger = logging.getLogger("example")


def answer(client: Client) -> ChatCompletion:
    """Return an answer, streamed if possible."""
    try:
        stream = client.chat.completions.create(messages=MESSAGES, stream=True)
        return stream.until_done()
    except APITimeoutError as error:
        logger.warning("silent for %g s behind %r", error.seconds, error.partial_text)
    except APIError as error:
        logger.warning("streaming failed: %s", error)
    fallback = client.with_options(timeout=300, model=FAST_MODEL)
    return fallback.chat.completions.create(messages=MESSAGES)


def main() -> None:
    logging.basicConfig()
    with Client(timeout=Timeouts(first_chunk=60, idle=IDLE)) as client:
        print(answer(client).text)


if __name__ == "__main__":
    main()
