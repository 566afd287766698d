"""Plays a client through Debian's python3-websockets: compressed echoes with the parameters that the test chose."""
import asyncio, json, sys
import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory


async def main(uri, parameters):
    factory = ClientPerMessageDeflateFactory(**json.loads(parameters))
    async with websockets.connect(uri, compression=None, extensions=[factory], max_size=None, ping_interval=None) as socket:
        print(json.dumps({"extensions": [str(extension) for extension in socket.extensions]}), flush=True)
        for size in [0, 1, 16, 100, 1000, 5000, 70000, 300000] * 2:
            records = json.dumps([{"id": i * 7919 % 1000, "name": f"user {i % 13}"} for i in range(size // 30 + 1)])[:size]
            noise = bytes((i * i * 31 + (i >> 3)) & 255 for i in range(size))
            for message in (records, noise):
                await socket.send(message)
                if await socket.recv() != message:
                    raise AssertionError(f"echo of {size} differs")
            # Fragments of one compressed message.
            await socket.send([records[:size // 2], records[size // 2:]])
            if await socket.recv() != records:
                raise AssertionError(f"echo of fragments of {size} differs")
    print(json.dumps({"code": socket.close_code}), flush=True)


asyncio.run(main(*sys.argv[1:]))
