"""End an answer at a word, and tell whether the word or the limit ended it."""

from evoclient import Client, Finish

ADVICE = "1. Read the tutorial.\n2. Write small programs.\nКОНЕЦ And so on, and on."


def main() -> None:
    with Client() as client:
        stream = client.chat.completions.create(
            messages=[{"role": "user", "content": f"Repeat: {ADVICE}"}],
            max_tokens=300,
            stop=["КОНЕЦ", "END"],
            # The client alone looks for them, so it can say which one it found.
            stop_mode="client",
            stream=True,
        )
        for text in stream.text:
            print(text, end="", flush=True)

    if stream.stop_sequence is not None:
        print(f"[stopped at {stream.stop_sequence}; the stream is {stream.outcome}]")
    elif stream.finish is Finish.length:
        print("\n[the limit of tokens is reached]")


if __name__ == "__main__":
    main()
