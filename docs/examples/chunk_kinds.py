"""Look into each chunk: the role comes first, then the text, then the finish reason."""

from evoclient import Client


def main() -> None:
    with Client() as client:
        stream = client.chat.completions.create(
            messages=[{"role": "user", "content": "Count to 5"}],
            stream=True,
        )
        for chunk in stream:
            for choice in chunk.choices:  # a chunk that brings usage alone has none
                if choice.delta.role:
                    print("role:", choice.delta.role)
                if choice.delta.content:
                    print("text:", repr(choice.delta.content))
                if choice.finish_reason:
                    print("finish reason:", choice.finish_reason)

        # Nothing had to be added up: the stream has done it.
        print("whole:", stream.completion.text)


if __name__ == "__main__":
    main()
