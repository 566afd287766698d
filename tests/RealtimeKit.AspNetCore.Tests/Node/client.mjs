// Plays a scenario against a server, through npm ws, and prints what it saw, one JSON value a line.
import WebSocket, { WebSocketServer } from 'ws';

const [scenario, url, ...rest] = process.argv.slice(2);
const print = value => console.log(JSON.stringify(value));
const connect = (protocols = [], options = {}) => new WebSocket(url, protocols, { rejectUnauthorized: false, ...options });
const next = (emitter, name) => new Promise((resolve, reject) => {
  emitter.once(name, (...values) => {
    emitter.off('error', reject);
    resolve(values);
  });
  if (name !== 'error') emitter.once('error', reject);
});

// JSON and prose of many sizes, an empty message and noise; the same again, which context takeover makes tiny.
const compressible = () => {
  const once = [0, 1, 16, 100, 1000, 5000, 70000, 300000].flatMap(size => [
    JSON.stringify(Array.from({ length: size / 50 + 1 }, (_, i) => ({ id: i * 7919 % 1000, name: `user ${i % 13}`, active: i % 3 === 0 }))).slice(0, size),
    'größer, schneller, weiter. '.repeat(size / 27 + 1).slice(0, size),
    Buffer.from(Array.from({ length: size }, (_, i) => (i * i * 31 + (i >> 3)) & 255)),
  ]);
  return [...once, ...once];
};

const scenarios = {
  // Messages of every length class, both types, fragments, a ping; with permessage-deflate offered, which the server may decline.
  async echo() {
    const socket = connect(rest);
    await next(socket, 'open');
    print({ protocol: socket.protocol, extensions: socket.extensions });
    const messages = [0, 1, 125, 126, 65535, 65536, 300000].flatMap(size => [Buffer.alloc(size, 0xfe), 'ä'.repeat(size)]);
    for (const message of messages) {
      const answer = next(socket, 'message');
      socket.send(message);
      const [data, isBinary] = await answer;
      if (isBinary !== (typeof message !== 'string') || !data.equals(Buffer.from(message))) throw new Error(`echo of ${message.length} differs`);
    }
    const fragments = next(socket, 'message');
    socket.send('one ', { fin: false });
    socket.send('two ', { fin: false });
    socket.send('three', { fin: true });
    print({ fragments: (await fragments)[0].toString() });
    const pong = next(socket, 'pong');
    socket.ping('beat');
    print({ pong: (await pong)[0].toString() });
    const closed = next(socket, 'close');
    socket.close(4000, 'done');
    const [code, reason] = await closed;
    print({ code, reason: reason.toString() });
  },

  // Compressed messages both ways, with the parameters that the test chose; tells how few bytes came back.
  async compress() {
    const socket = connect([], { perMessageDeflate: { threshold: 0, ...JSON.parse(rest[0]) } });
    await next(socket, 'open');
    print({ extensions: socket.extensions });
    const before = socket._socket.bytesRead;
    let total = 0;
    for (const message of compressible()) {
      const answer = next(socket, 'message');
      socket.send(message);
      const [data] = await answer;
      if (!data.equals(Buffer.from(message))) throw new Error(`echo of ${message.length} differs`);
      total += data.length;
    }
    print({ total, read: socket._socket.bytesRead - before });
    const closed = next(socket, 'close');
    socket.close(1000);
    print({ code: (await closed)[0] });
  },

  // The other role: an echo server with the parameters that the test chose, until its only client closes.
  async serve() {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: { threshold: 0, ...JSON.parse(url) } });
    await next(server, 'listening');
    print({ port: server.address().port });
    const [socket] = await next(server, 'connection');
    socket.on('message', (data, binary) => socket.send(data, { binary }));
    const [code] = await next(socket, 'close');
    print({ code, extensions: socket.extensions });
    server.close();
  },

  // Stays until the server closes.
  async stay() {
    const socket = connect();
    await next(socket, 'open');
    print('open');
    const [code] = await next(socket, 'close');
    print({ code });
  },

  // An echo under way, then a frame with a reserved opcode: the answer and the Close must both arrive.
  async violate() {
    for (let i = 0; i < 20; i++) {
      const socket = connect();
      await next(socket, 'open');
      const messages = [];
      socket.on('message', data => messages.push(data.toString()));
      const closed = next(socket, 'close');
      socket.send('before');
      socket._socket.write(Buffer.from([0x83, 0x80, 1, 2, 3, 4]));
      const [code] = await closed;
      print({ messages, code });
    }
  },

  async refused() {
    const socket = connect([], { origin: rest[0] });
    const [, response] = await next(socket, 'unexpected-response');
    print({ status: response.statusCode });
    process.exit(0);
  },
};

await scenarios[scenario]();
