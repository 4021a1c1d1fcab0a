"""Clients that were used before a fork, in the child and in the parent."""

from __future__ import annotations

import os

import pytest

from evoclient.testing.server import DemoServer

from .scripts import run_script

pytestmark = [
    pytest.mark.loopback,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system"),
]

# Each test starts an interpreter in development mode, which takes a second.


def test_sync(server: DemoServer) -> None:
    """Child and parent go on with connections of their own, an open stream included."""
    said = run_script(
        server,
        """
        def ask():
            return client.chat.completions.create(**ASKED).text

        client = Client(**OPTIONS)
        ask()
        stream = client.chat.completions.create(**ASKED, stream=True)
        first = next(stream)
        child = os.fork()
        if not child:
            texts = [ask() for _ in range(3)]
            os._exit(0 if texts == ["Hi there all"] * 3 else 1)
        status = os.waitpid(child, 0)[1]
        print(status, ask(), "".join([first.text, *stream.text]))
        client.close()
        """,
    )
    assert said == "0 Hi there all Hi there all\n"


def test_a_child_that_closes(server: DemoServer) -> None:
    """A child that closes the client, or ends as usual, leaves the parent's stream alone."""
    said = run_script(
        server,
        """
        client = Client(**OPTIONS)
        stream = client.chat.completions.create(**ASKED, stream=True)
        first = next(stream)
        child = os.fork()
        if not child:
            client.close()
            sys.exit(0)
        os.waitpid(child, 0)
        print("".join([first.text, *stream.text]), stream.outcome)
        client.close()
        """,
    )
    assert said == "Hi there all complete\n"


def test_aio(server: DemoServer) -> None:
    """A child makes a loop of its own, and the parent goes on in a new one."""
    said = run_script(
        server,
        """
        async def ask():
            return (await client.chat.completions.create(**ASKED)).text

        client = AsyncClient(**OPTIONS)
        asyncio.run(ask())
        child = os.fork()
        if not child:
            os._exit(0 if asyncio.run(ask()) == "Hi there all" else 1)
        print(os.waitpid(child, 0)[1], asyncio.run(ask()))
        """,
    )
    assert said == "0 Hi there all\n"


def test_aio_in_the_midst_of_a_loop(server: DemoServer) -> None:
    """A fork inside a running loop: the child leaves that loop and takes a fresh one."""
    said = run_script(
        server,
        """
        async def ask():
            return (await client.chat.completions.create(**ASKED)).text

        def in_the_child():
            asyncio._set_running_loop(None)
            asyncio.set_event_loop(None)
            return asyncio.run(ask())

        async def main():
            stream = await client.chat.completions.create(**ASKED, stream=True)
            first = await anext(stream)
            child = os.fork()
            if not child:
                os._exit(0 if in_the_child() == "Hi there all" else 1)
            status = (await asyncio.to_thread(os.waitpid, child, 0))[1]
            print(status, await ask(), first.text + "".join([t async for t in stream.text]))

        client = AsyncClient(**OPTIONS)
        asyncio.run(main())
        """,
    )
    assert said == "0 Hi there all Hi there all\n"


def test_a_key_pair_in_flight(server: DemoServer) -> None:
    """A child forked while a token was being fetched fetches one of its own."""
    said = run_script(
        server,
        """
        import socket
        # A token endpoint that takes the request and waits, until it is told to go on.
        desk = socket.create_server(("127.0.0.1", 0), backlog=5)
        taken, go_on = threading.Event(), threading.Event()
        answer = b'{"access_token": "demo-key", "expires_in": 60}'
        head = b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(answer)

        def serve():
            for waits in (True, False):
                sock, _ = desk.accept()
                with sock:
                    sock.recv(65536)
                    taken.set()
                    if waits:
                        threading.Thread(target=late, args=(sock.dup(),)).start()
                    else:
                        sock.sendall(head + answer)

        def late(sock):
            with sock:
                go_on.wait(20)
                sock.sendall(head + answer)

        def ask(_=None):
            texts.append(client.chat.completions.create(**ASKED).text)

        texts = []
        threading.Thread(target=serve, daemon=True).start()
        pair = KeyPair("id-0123", "secret-0123", token_url=f"http://127.0.0.1:{desk.getsockname()[1]}")
        client = Client(base_url=URL, model="demo", auth=pair)
        asking = threading.Thread(target=ask)
        asking.start()
        taken.wait(20)
        child = os.fork()
        if not child:
            ask()
            os._exit(0 if texts == ["Hi there all"] else 1)
        status = os.waitpid(child, 0)[1]
        go_on.set()
        asking.join()
        print(status, *texts)
        client.close()
        desk.close()
        """,
    )
    assert said == "0 Hi there all\n"


def test_a_transport_that_is_being_made(server: DemoServer) -> None:
    """A child forked while another thread was making the transport makes one of its own."""
    said = run_script(
        server,
        """
        from evoclient.transports.with_requests import RequestsTransport

        begun, go_on = threading.Event(), threading.Event()

        class Slow(RequestsTransport):
            def __init__(self, **options):
                if not begun.is_set():
                    begun.set()
                    go_on.wait(20)
                super().__init__(**options)

        def ask():
            texts.append(client.chat.completions.create(**ASKED).text)

        texts = []
        client = Client(**OPTIONS, transport=Slow)
        asking = threading.Thread(target=ask)
        asking.start()
        begun.wait(20)
        child = os.fork()
        if not child:
            asking = threading.Thread(target=ask, daemon=True)
            asking.start()
            asking.join(5)
            os._exit(0 if texts == ["Hi there all"] else 1)
        status = os.waitpid(child, 0)[1]
        go_on.set()
        asking.join()
        print(status, *texts)
        client.close()
        """,
    )
    assert said == "0 Hi there all\n"
