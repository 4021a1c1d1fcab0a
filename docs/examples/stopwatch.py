"""Measure by hand what you count yourself, here the visible text alone."""

from evoclient import Client, StreamingMetrics


def main() -> None:
    metrics = StreamingMetrics(window_size=20)
    metrics.start()

    with Client() as client:
        stream = client.chat.completions.create(
            messages=[{"role": "user", "content": "Count to 50"}],
            stream=True,
        )
        for text in stream.text:
            metrics.add_chunk(text)
            print(text, end="", flush=True)

    print("\n")
    for name, value in metrics.get_stats().items():
        print(f"{name}: {value:.2f}")


if __name__ == "__main__":
    main()
