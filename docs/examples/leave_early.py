"""End a long answer from outside, as a stop button does; the connection closes."""

import threading

from evoclient import Client


def main() -> None:
    with Client() as client:
        stream = client.chat.completions.create(
            messages=[{"role": "user", "content": "Count to 1000"}],
            stream=True,
        )
        button = threading.Timer(0.3, stream.cancel)
        button.start()
        for text in stream.text:
            print(text, end="", flush=True)
        button.join()

    print(f"\n[{stream.outcome} behind {len(stream.completion.text)} characters]")


if __name__ == "__main__":
    main()
