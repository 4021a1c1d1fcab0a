"""Survive failures: before the first text by retries, after it by asking again.

No text is printed twice. What a second answer repeats is skipped; where it says
something else, the stream ends with an error that has both texts.
"""

from evoclient import APIError, Client, RetryState, StreamInterruptedError


def tell(retry: RetryState) -> None:
    """Say that an attempt failed."""
    print(f"\n[attempt {retry.attempt}: {type(retry.error).__name__}]")


def robust_streaming(client: Client, messages: list[dict[str, str]]) -> str | None:
    """Print an answer and return it, or return None where it could not be had."""
    try:
        stream = client.chat.completions.create(
            messages=messages,
            stream=True,
            timeout=30,  # the longest silence, in seconds
            recover="restart",
            on_retry=tell,
        )
        for text in stream.text:
            print(text, end="", flush=True)
    except StreamInterruptedError as error:
        print(f"\nBroken off behind {len(error.partial_text)} characters: {error}")
        return None
    except APIError as error:
        print(f"\nNo answer: {error}")
        return None
    return stream.completion.text


def main() -> None:
    # Three retries; the first after a quarter of a second, then after twice as long.
    with Client(max_retries=3, retry_delay=0.25) as client:
        answer = robust_streaming(client, [{"role": "user", "content": "Count to 12"}])
    print("\nThe answer:", answer)


if __name__ == "__main__":
    main()
