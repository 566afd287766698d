# A server through python3-websockets: echoes, and closes as it is told to. Prints its port, then how each connection ended.
import asyncio
import json

import websockets


def report(**value):
    print(json.dumps(value), flush=True)


async def serve(socket):
    try:
        async for message in socket:
            if isinstance(message, str) and message.startswith("close "):
                await socket.close(int(message[6:]), "as told")
            else:
                await socket.send(message)
    finally:
        report(code=socket.close_code, reason=socket.close_reason)


async def main():
    async with websockets.serve(serve, "127.0.0.1", 0, subprotocols=["b"], max_size=None) as server:
        report(port=server.sockets[0].getsockname()[1])
        await asyncio.Future()


asyncio.run(main())
