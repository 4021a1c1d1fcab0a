"""Do different things for different errors: a callback may name its classes."""

from evoclient import (
    APIError,
    APITimeoutError,
    Callbacks,
    Client,
    InternalServerError,
    StreamError,
)

callbacks = Callbacks()


@callbacks.on_error(InternalServerError, StreamError)
def tell_the_operator(error: Exception) -> None:
    print(f"server: {type(error).__name__}")


@callbacks.on_error(APITimeoutError)
def choose_another_model(error: Exception) -> None:
    print("slow: try a faster model")


@callbacks.on_error
def note(error: Exception) -> None:
    print(f"note: {error}")


def main() -> None:
    with Client(callbacks=callbacks, max_retries=0) as client:
        try:
            stream = client.chat.completions.create(
                messages=[{"role": "user", "content": "Count to 5"}],
                stream=True,
            )
            print(stream.until_done().text)
        except APIError:
            print("The callbacks have heard of it, and the program goes on.")


if __name__ == "__main__":
    main()
