// Plays a scenario against a server, through npm ws, and prints what it saw, one JSON value a line.
import WebSocket from 'ws';

const [scenario, url, ...rest] = process.argv.slice(2);
const print = value => console.log(JSON.stringify(value));
const connect = (protocols = [], options = {}) => new WebSocket(url, protocols, { rejectUnauthorized: false, ...options });
const next = (emitter, name) => new Promise((resolve, reject) => {
  emitter.once(name, (...values) => resolve(values));
  if (name !== 'error') emitter.once('error', reject);
});

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
