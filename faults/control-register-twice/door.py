"""The door of the house: by 7001 to one of the registers, always the same for the same caller; by 7002 to MLflow's pages, with a password."""

import asyncio
import base64
import hmac
import os
import socket
import zlib

REGISTERS_PORT, PAGES_PORT = 7001, 7002
DROPPED = (b"authorization:", b"connection:", b"keep-alive:")


def place(name):
    """Host and port of a setting."""
    host, _, port = os.environ[name].rpartition(":")
    return host, int(port)


async def pump(reader, writer):
    """Carry bytes one way; where they end, say so on the other side."""
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


async def joined(near, far):
    """Carry bytes both ways until both have ended."""
    await asyncio.gather(pump(near[0], far[1]), pump(far[0], near[1]))
    far[1].close()


async def registers():
    """The addresses of all registers that there are now."""
    host, port = place("REGISTERS")
    found = await asyncio.get_running_loop().getaddrinfo(host, port, family=socket.AF_INET, type=socket.SOCK_STREAM)
    return sorted({address[4] for address in found})


async def to_a_register(reader, writer):
    """Lead a caller to its register, or to the next one where that does not answer."""
    caller = str(writer.get_extra_info("peername")[0])
    known = await registers()
    first = zlib.crc32(caller.encode()) % len(known)
    for host, port in known[first:] + known[:first]:
        try:
            far = await asyncio.wait_for(asyncio.open_connection(host, port), 2)
        except OSError:
            continue
        await joined((reader, writer), far)
        return


def wanted():
    """The header that opens the pages."""
    pair = f"{os.environ['PAGES_USER']}:{os.environ['PAGES_PASSWORD']}".encode()
    return b"Basic " + base64.b64encode(pair)


async def to_the_pages(reader, writer):
    """Lead one request to MLflow, if it is for an open page or brings the password."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return
    line, *fields = head[:-4].split(b"\r\n")
    path = (line.split(b" ") + [b""])[1].split(b"?")[0].decode("latin-1")
    given = [field.partition(b":")[2].strip() for field in fields if field.lower().startswith(b"authorization:")]
    is_known = bool(given) and hmac.compare_digest(given[0], wanted())
    if path not in os.environ["PAGES_OPEN"].split(",") and not is_known:
        writer.write(b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="models"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
        return
    try:
        far = await asyncio.wait_for(asyncio.open_connection(*place("PAGES")), 2)
    except OSError:
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        return
    kept = [field for field in fields if not field.lower().startswith(DROPPED)]
    far[1].write(b"\r\n".join([line, *kept, b"Connection: close", b"", b""]))
    await joined((reader, writer), far)


def closing(serve):
    """Close the caller's connection whatever comes of it."""

    async def served(reader, writer):
        try:
            await serve(reader, writer)
        except OSError as error:
            print(f"a caller was lost: {type(error).__name__}")
        finally:
            writer.close()

    return served


async def main():
    """Open both ways until stopped."""
    ways = ((to_a_register, REGISTERS_PORT), (to_the_pages, PAGES_PORT))
    servers = [await asyncio.start_server(closing(serve), "0.0.0.0", port) for serve, port in ways]
    print("the door is open")
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main())
