"""Have slow answers logged, and look at the time of each yourself."""

import logging

from evoclient import ChatCompletion, Client

LIMIT = 0.2  # seconds; five are more usual


def check(completion: ChatCompletion) -> None:
    if completion.response_time is not None and completion.response_time > LIMIT:
        print(f"slow: {completion.response_time * 1000:.0f} ms")


def main() -> None:
    logging.basicConfig()
    with Client(slow_after=LIMIT) as client:
        stream = client.chat.completions.create(
            messages=[{"role": "user", "content": "Count to 10"}],
            stream=True,
            on_finish=check,
        )
        print(stream.until_done().text)


if __name__ == "__main__":
    main()
