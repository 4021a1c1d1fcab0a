"""Hand text to a user interface in few updates; any thread may fill the buffer."""

from evoclient import Client, StreamBuffer


def update_ui(text: str) -> None:
    """Stand for what a user interface does with more text."""
    print("update:", repr(text))


def main() -> None:
    with Client() as client, StreamBuffer(update_ui, buffer_delay=0.2) as buffer:
        stream = client.chat.completions.create(
            messages=[{"role": "user", "content": "Count to 30"}],
            stream=True,
        )
        for text in stream.text:
            buffer.add_content(text)
        buffer.flush()  # the end of the block would do it as well


if __name__ == "__main__":
    main()
