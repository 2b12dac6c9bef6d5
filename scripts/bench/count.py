"""Sends exactly so many requests over one connection, one after the other, and fails unless each is answered with 200.

count.py PORT PATH COUNT CREDENTIALS BODY: POSTs the form BODY with the Authorization headers in the file CREDENTIALS, the first ten of
them in turn; `-` for both sends GET.
"""

import itertools
import socket
import sys


def requests(path, credentials, body):
    if credentials == "-":
        yield f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
        return
    with open(credentials, encoding="ascii") as file:
        for authorization in itertools.islice(file, 10):
            yield (
                f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {authorization.strip()}\r\n"
                f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
            ).encode()


def answer(stream):
    status, length = stream.readline(), 0
    if b" 200 " not in status:
        sys.exit(f"count.py: the answer is {status!r}")
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return stream.read(length)


def main():
    port, path, count, credentials, body = sys.argv[1:]
    turn = itertools.cycle(list(requests(path, credentials, body)))
    last = b""
    with socket.create_connection(("127.0.0.1", int(port))) as connection, connection.makefile("rb") as stream:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(int(count)):
            connection.sendall(next(turn))
            last = answer(stream)
    sys.stdout.buffer.write(last)


if __name__ == "__main__":
    main()
