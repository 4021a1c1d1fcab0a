"""Ask three questions at once, with threads, and read the pieces as they arrive."""

from evoclient import ChatCompletion, Client

QUESTIONS = ["What is Python?", "Explain machine learning.", "Tell me about the web."]


def main() -> None:
    with Client() as client:
        group = client.gather_streams(
            [
                {"messages": [{"role": "user", "content": question}], "max_tokens": 100}
                for question in QUESTIONS
            ],
            max_concurrency=2,
        )
        for piece in group.as_chunks(return_exceptions=True):
            if piece.error is not None:
                print(f"[{piece.index}] failed: {piece.error}")
            elif piece.chunk.text:
                print(f"[{piece.index}] {piece.chunk.text!r}")

    for question, result in zip(QUESTIONS, group.completions, strict=True):
        if isinstance(result, ChatCompletion):
            print(f"{question} {len(result.text)} characters")


if __name__ == "__main__":
    main()
