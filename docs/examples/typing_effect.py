"""Show whole words, at most twenty times per second: the stream buffers itself."""

from evoclient import Client


def main() -> None:
    with Client() as client:
        stream = client.chat.completions.create(
            messages=[{"role": "user", "content": "Describe a sunrise."}],
            stream=True,
        )
        for words in stream.buffered(interval=0.05, by="word"):
            print(words, end="", flush=True)
        print()
        print(f"{stream.metrics.chunks} chunks")


if __name__ == "__main__":
    main()
