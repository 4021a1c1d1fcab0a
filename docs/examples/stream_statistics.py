"""Print an answer, and then how fast it came: a stream measures itself."""

from evoclient import Client


def main() -> None:
    with Client() as client:
        stream = client.chat.completions.create(
            messages=[{"role": "user", "content": "Write a story about the future."}],
            max_tokens=500,
            stream=True,
            usage=True,
        )
        for text in stream.text:
            print(text, end="", flush=True)

    figures = stream.metrics
    print(f"\n\nTime: {figures.duration:.2f} s")
    print(f"Chunks: {figures.chunks}")
    print(f"Characters: {figures.characters}")
    print(f"Tokens: {figures.tokens}")
    if figures.rate.characters_per_second is not None:
        print(f"Speed: {figures.rate.characters_per_second:.1f} characters per second")


if __name__ == "__main__":
    main()
