"""Starts a server, and says how many milliseconds it took to be ready and to give the first token. It is ended afterwards.

start.py PORT CREDENTIALS COMMAND…: the server listens on PORT, and the first line of CREDENTIALS is an Authorization header.
"""

import http.client
import subprocess
import sys
import time

PATIENCE = 20


def status(port, method, path, headers=None, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, body, headers or {})
        return connection.getresponse().status
    except ConnectionError:
        return None
    finally:
        connection.close()


def main():
    port, credentials, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    with open(credentials, encoding="ascii") as file:
        headers = {"Authorization": file.readline().strip(), "Content-Type": "application/x-www-form-urlencoded"}
    began = time.monotonic()
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while status(port, "GET", "/readyz") != 200:
            if time.monotonic() - began > PATIENCE or server.poll() is not None:
                sys.exit("start.py: the server did not become ready")
            time.sleep(0.001)
        ready = time.monotonic()
        if status(port, "POST", "/qa/token", headers, "grant_type=client_credentials") != 200:
            sys.exit("start.py: there was no token")
        token = time.monotonic()
    finally:
        server.terminate()
        server.wait()
    print(f"{(ready - began) * 1000:.1f} {(token - began) * 1000:.1f}")


if __name__ == "__main__":
    main()
