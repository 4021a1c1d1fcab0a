"""Hand text to a coroutine in few updates, such as one that sends it over a socket."""

import asyncio

from evoclient import AsyncClient, AsyncStreamBuffer


async def update_ui(text: str) -> None:
    """Stand for what a user interface does with more text."""
    await asyncio.sleep(0)
    print("update:", repr(text))


async def main() -> None:
    buffer = AsyncStreamBuffer(update_ui, buffer_delay=0.2)
    async with AsyncClient() as client, buffer:
        stream = await client.chat.completions.create(
            messages=[{"role": "user", "content": "Count to 30"}],
            stream=True,
        )
        async for text in stream.text:
            buffer.add_content(text)
        await buffer.flush()


if __name__ == "__main__":
    asyncio.run(main())
