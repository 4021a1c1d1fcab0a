"""Let the stream put the answer together, as the request gives it without streaming."""

from evoclient import Client


def main() -> None:
    with Client() as client:
        stream = client.chat.completions.create(
            messages=[{"role": "user", "content": "Write a story about a robot."}],
            stream=True,
            usage=True,
        )
        completion = stream.until_done()

    print(completion.text)
    print("total tokens:", completion.total_tokens)
    print("cost:", completion.cost)  # None where the server does not tell it


if __name__ == "__main__":
    main()
