"""Catch what ends a stream early, and keep the text that had arrived."""

from evoclient import APIError, Client


def main() -> None:
    with Client() as client:
        try:
            stream = client.chat.completions.create(
                messages=[{"role": "user", "content": "Count to 20"}],
                stream=True,
            )
            for text in stream.text:
                print(text, end="", flush=True)
        except APIError as error:
            print(f"\n{type(error).__name__}: {error}")
            print(f"So far: {error.partial_text!r}")


if __name__ == "__main__":
    main()
