"""Answer many questions in batches, handle each chunk at once, and keep none of it."""

from itertools import count, islice
from typing import Any

from evoclient import ChatCompletion, ChatCompletionChunk, Client

QUESTIONS = [f"Count to {number}" for number in range(1, 10)]
BATCH = 3


def asked(question: str) -> dict[str, Any]:
    """Return what is asked: the keywords of `create`."""
    return {"messages": [{"role": "user", "content": question}], "accumulate": False}


def save(chunk: ChatCompletionChunk) -> None:
    """Stand for what writes a chunk to its place."""


def main() -> None:
    rest = iter(QUESTIONS)
    with Client() as client:
        for number in count(1):
            batch = list(islice(rest, BATCH))
            if not batch:
                break
            # For this batch; without the last line of the loop they would pile up.
            client.callbacks.on("chunk", save)
            group = client.gather_streams(map(asked, batch))
            results = group.results(return_exceptions=True)
            done = sum(isinstance(result, ChatCompletion) for result in results)
            print(f"batch {number}: {done} of {len(batch)} done")
            client.clear_callbacks()


if __name__ == "__main__":
    main()
