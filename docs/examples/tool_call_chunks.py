"""Watch the arguments of a tool call arrive, and run the tool when they are whole."""

import json

from evoclient import ChatCompletionChunk, Client

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather at a place.",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {"type": "string", "description": "The name of a city."},
                "units": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["location"],
        },
    },
}


def watch(chunk: ChatCompletionChunk) -> None:
    """Print pieces of tool calls; the name comes with the first one."""
    for call in chunk.tool_calls:
        print(f"piece: {call.function.name or ''} {call.function.arguments!r}")


def fetch_weather(location: str, units: str = "celsius") -> str:
    """Stand for a service that knows the weather."""
    return f"18 degrees {units} in {location}"


def main() -> None:
    with Client() as client:
        stream = client.chat.completions.create(
            messages=[{"role": "user", "content": "What is the weather in Tokyo?"}],
            tools=[WEATHER],
            stream=True,
            on_tool_call_chunk=watch,
        )
        for event in stream.events():
            if event.type == "tool_call.done":  # before the answer has ended
                arguments = json.loads(event.call.function.arguments or "{}")
                print("result:", fetch_weather(**arguments))

    for call in stream.completion.tool_calls:
        print("called:", call.function.name)


if __name__ == "__main__":
    main()
