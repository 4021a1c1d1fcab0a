"""Tell functions what happens: at the start, for each chunk, at the end, on errors."""

from evoclient import Callbacks, ChatCompletion, ChatCompletionChunk, Client, Start


def begin(start: Start) -> None:
    print(f"asking {start.model} with {len(start.messages)} messages")


def show(chunk: ChatCompletionChunk) -> None:
    print(chunk.text, end="", flush=True)


def end(completion: ChatCompletion) -> None:
    print(f"\ncompleted by {completion.model} in {completion.response_time:.2f} s")
    print(f"total tokens: {completion.total_tokens}")
    if completion.cost is not None:  # where the server tells it, as OpenRouter does
        print(f"cost: ${completion.cost}")


def complain(error: Exception) -> None:
    print(f"\nerror: {error}")


def main() -> None:
    callbacks = Callbacks().on("start", begin).on("chunk", show)
    callbacks.on("finish", end).on("error", complain)
    with Client(callbacks=callbacks) as client:
        stream = client.chat.completions.create(
            messages=[{"role": "user", "content": "Tell me about quantum computing."}],
            stream=True,
            usage=True,
        )
        stream.until_done()


if __name__ == "__main__":
    main()
