"""Survive failures with asyncio, and keep a display right where the answers differ.

A reader of events can take text back, so it need not give up: it is told how much of
what it shows is still true.
"""

import asyncio

from evoclient import AsyncClient, EvoClientError


async def main() -> None:
    shown = ""
    async with AsyncClient(max_retries=3, retry_delay=0.25) as client:
        try:
            stream = await client.chat.completions.create(
                messages=[{"role": "user", "content": "Count to 12"}],
                stream=True,
                timeout=30,
                recover="restart",
            )
            async for event in stream.events():
                match event.type:
                    case "content":
                        shown += event.text
                    case "retry":
                        why = type(event.error).__name__
                        print(f"again in {event.wait:.2f} s: {why}")
                    case "restart":
                        shown = shown[: event.keep]
                        print("kept:", shown)
        except EvoClientError as error:
            print(f"No answer: {error}")
    print("shown:", shown)


if __name__ == "__main__":
    asyncio.run(main())
