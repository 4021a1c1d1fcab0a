"""Tell apart what a chunk brings: text, tool calls, usage, or nothing that shows."""

from collections import Counter

from evoclient import ChatCompletionChunk, Client

seen: Counter[str] = Counter()


def sort_out(chunk: ChatCompletionChunk) -> None:
    if chunk.text:
        seen["text"] += 1
    elif chunk.tool_calls:
        seen["tool calls"] += 1
    elif chunk.usage is not None:
        seen["usage"] += 1
    else:  # the role, or the finish reason
        seen["nothing to show"] += 1


def main() -> None:
    with Client() as client:
        client.callbacks.on("chunk", sort_out)
        stream = client.chat.completions.create(
            messages=[{"role": "user", "content": "Count to 20"}],
            stream=True,
            usage=True,
        )
        stream.until_done()
    for kind, count in seen.items():
        print(f"{kind}: {count}")


if __name__ == "__main__":
    main()
