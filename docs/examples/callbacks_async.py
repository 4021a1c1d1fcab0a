"""Use decorators, and coroutine functions: they are awaited before the next chunk."""

import asyncio

from evoclient import AsyncClient, Callbacks, ChatCompletion

callbacks = Callbacks()
pieces: asyncio.Queue[str | ChatCompletion] = asyncio.Queue(maxsize=8)


@callbacks.on_text
async def pass_on(text: str) -> None:
    await pieces.put(text)  # where the queue is full, the stream waits


@callbacks.on_finish
async def end(completion: ChatCompletion) -> None:
    await pieces.put(completion)


async def show() -> None:
    """Stand for another part of the program, which reads the queue."""
    while isinstance(piece := await pieces.get(), str):
        print(piece, end="", flush=True)
    print(f"\n{piece.total_tokens} tokens")


async def main() -> None:
    async with AsyncClient(callbacks=callbacks) as client, asyncio.TaskGroup() as tasks:
        tasks.create_task(show())
        stream = await client.chat.completions.create(
            messages=[{"role": "user", "content": "Count to 20"}],
            stream=True,
            usage=True,
        )
        await stream.until_done()


if __name__ == "__main__":
    asyncio.run(main())
