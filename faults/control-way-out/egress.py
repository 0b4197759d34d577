"""The bank's way out: plain requests are passed on, others get a tunnel; the log says who was asked, never for what."""

import asyncio
from urllib.parse import urlsplit

PORT = 3128
PATIENCE = 5.0
FOR_THE_PROXY = (b"connection:", b"keep-alive:", b"proxy-authorization:", b"proxy-connection:")


class Refused(Exception):
    """What was asked is not to be carried; the status line to answer with."""


async def pump(reader, writer):
    """Carry bytes one way until there are no more."""
    while chunk := await reader.read(65536):
        writer.write(chunk)
        await writer.drain()


async def first_of(*ways):
    """Wait until one way has come to its end, then give up the other."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def understood(head):
    """Method, host, port, and what is to be sent on ahead of the rest."""
    line, *fields = head[:-4].split(b"\r\n")
    try:
        method, address, version = line.split(b" ")
        if method == b"CONNECT":
            host, _, port = address.decode("ascii").rpartition(":")
            return method, host.strip("[]"), int(port), b""
        parts = urlsplit(address.decode("ascii"))
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        kept = [field for field in fields if not field.lower().startswith(FOR_THE_PROXY)]
        first = b" ".join((method, path.encode("ascii"), version))
        return method, parts.hostname, parts.port or 80, b"\r\n".join([first, *kept, b"Connection: close", b"", b""])
    except ValueError:
        raise Refused("400 Bad Request") from None


async def carry(reader, writer):
    """Serve one connection: one request, or one tunnel."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return
    except asyncio.LimitOverrunError:
        raise Refused("431 Request Header Fields Too Large") from None
    method, host, port, ahead = understood(head)
    print(f"{method.decode('ascii')} {host}:{port}")
    try:
        far_reader, far_writer = await asyncio.wait_for(asyncio.open_connection(host, port), PATIENCE)
    except OSError:
        raise Refused("502 Bad Gateway") from None
    try:
        if ahead:
            far_writer.write(ahead)
        else:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await first_of(pump(reader, far_writer), pump(far_reader, writer))
    finally:
        far_writer.close()


async def serve(reader, writer):
    """Serve one connection, and close it whatever comes."""
    try:
        await carry(reader, writer)
    except Refused as refused:
        writer.write(f"HTTP/1.1 {refused}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
    except OSError:
        pass
    finally:
        writer.close()


async def main():
    """Serve until stopped."""
    server = await asyncio.start_server(serve, "0.0.0.0", PORT)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
