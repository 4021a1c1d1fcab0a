"""Handle each piece at once and keep nothing: memory does not grow with the answer."""

import time

from evoclient import Client


def main() -> None:
    log: list[tuple[float, int]] = []  # a file or a database, in a program

    with Client() as client:
        stream = client.chat.completions.create(
            messages=[{"role": "user", "content": "Count to 200"}],
            stream=True,
            accumulate=False,
        )
        for text in stream.text:
            print(text, end="", flush=True)
            log.append((time.time(), len(text)))

    print(f"\n{len(log)} pieces, {stream.metrics.characters} characters")
    print("kept:", repr(stream.completion.text))


if __name__ == "__main__":
    main()
