"""Watch the speed of a stream while it runs, and sum it up at the end."""

from itertools import count

from evoclient import ChatCompletion, ChatCompletionChunk, Client

seen = count(1)


def live(chunk: ChatCompletionChunk) -> None:
    """Print the rate now and then; a chunk has the figures of its stream."""
    rate = chunk.metrics.recent.characters_per_second
    if next(seen) % 25 == 0 and rate is not None:
        print(f"now: {rate:.0f} characters per second")


def final(completion: ChatCompletion) -> None:
    """Print what a log of performance holds."""
    tokens, seconds = completion.total_tokens, completion.response_time
    if tokens is not None and seconds:
        speed = tokens / seconds
        print(f"{tokens} tokens in {seconds:.2f} s, {speed:.1f} a second")


def main() -> None:
    with Client() as client:
        stream = client.chat.completions.create(
            messages=[{"role": "user", "content": "Count to 100"}],
            stream=True,
            usage=True,
            on_chunk=live,
            on_finish=final,
        )
        stream.until_done()
        gaps = stream.metrics.gaps
        print(f"{gaps.count} gaps, the longest of {gaps.maximum or 0:.3f} s")


if __name__ == "__main__":
    main()
