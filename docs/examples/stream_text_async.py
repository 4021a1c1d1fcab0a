"""Print an answer while it is written, with asyncio."""

import asyncio

from evoclient import AsyncClient


async def main() -> None:
    async with AsyncClient() as client:
        stream = await client.chat.completions.create(
            messages=[{"role": "user", "content": "Explain quantum physics."}],
            max_tokens=400,
            stream=True,
        )
        async for text in stream.text:
            print(text, end="", flush=True)
        print()


if __name__ == "__main__":
    asyncio.run(main())
