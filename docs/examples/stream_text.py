"""Print an answer while it is written."""

from evoclient import Client


def main() -> None:
    with Client() as client:
        stream = client.chat.completions.create(
            messages=[{"role": "user", "content": "Tell me a long story about space."}],
            max_tokens=300,
            stream=True,
        )
        for text in stream.text:
            print(text, end="", flush=True)
        print()


if __name__ == "__main__":
    main()
