"""Ask three questions at once, with tasks, and take the answers in order."""

import asyncio

from evoclient import AsyncClient

QUESTIONS = ["What is Python?", "Explain machine learning.", "Tell me about the web."]


async def main() -> None:
    async with AsyncClient() as client:
        group = client.gather_streams(
            {"messages": [{"role": "user", "content": question}], "max_tokens": 100}
            for question in QUESTIONS
        )
        results = await group.results(return_exceptions=True)

    for question, result in zip(QUESTIONS, results, strict=True):
        if isinstance(result, Exception):
            print(f"{question} failed: {result}")
        else:
            print(f"{question} {len(result.text)} characters")


if __name__ == "__main__":
    asyncio.run(main())
