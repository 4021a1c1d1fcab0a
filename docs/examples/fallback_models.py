"""Go on with another model where the stream of the first one breaks."""

import os

from evoclient import Client, EvoClientError

#: The models to ask instead, one after another.
INSTEAD = os.environ.get("FALLBACK_MODELS", "demo-mini").split(",")


def main() -> None:
    shown = ""
    with Client() as client:
        try:
            stream = client.chat.completions.create(
                messages=[{"role": "user", "content": "Count to 12"}],
                stream=True,
                recover=INSTEAD,
            )
            for event in stream.events():
                if event.type == "content":
                    shown += event.text
                elif event.type == "restart":  # the new model gives another answer
                    shown = shown[: event.keep]
        except EvoClientError as error:
            print(f"None of them could do it: {error}")
            return
    print(f"{stream.completion.model}: {shown}")
    print(f"{stream.metrics.attempts} attempts")


if __name__ == "__main__":
    main()
