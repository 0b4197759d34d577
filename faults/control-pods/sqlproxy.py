"""A door on the pod's own loopback that leads to the database, as the cloud's proxy is one."""

import asyncio
import os


async def pump(reader, writer):
    """Carry bytes one way; where they end, say so on the other side."""
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


async def serve(reader, writer):
    """Serve one caller by one connection to the database."""
    host, _, port = os.environ["UPSTREAM"].rpartition(":")
    try:
        far_reader, far_writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), 5)
    except OSError as error:
        print(f"no way to {host}: {error or 'it does not answer'}")
        writer.close()
        return
    await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
    far_writer.close()
    writer.close()


async def main():
    """Serve until stopped."""
    host, _, port = os.environ["LISTEN"].rpartition(":")
    server = await asyncio.start_server(serve, host, int(port))
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
