// A server through npm ws: echoes, picks the last subprotocol offered, and closes as it is told to. Prints its port, then what it saw.
import { WebSocketServer } from 'ws';

const print = value => console.log(JSON.stringify(value));
const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  handleProtocols: protocols => [...protocols].at(-1),
  perMessageDeflate: true,
});
server.on('listening', () => print({ port: server.address().port }));
server.on('connection', (socket, request) => {
  if (request.url === '/violate') {
    // A reserved opcode, unmasked as a server's frames are.
    socket._socket.write(Buffer.from([0x83, 0x00]));
  }
  socket.on('ping', data => print({ ping: data.length }));
  socket.on('message', (data, isBinary) => {
    const text = data.toString();
    if (text.startsWith('close ')) socket.close(Number(text.slice(6)), 'as told');
    else if (text === 'terminate') socket.terminate();
    else if (text === 'fragments') ['one ', 'two ', 'three'].forEach((part, i) => socket.send(part, { fin: i === 2 }));
    else socket.send(data, { binary: isBinary });
  });
  socket.on('error', error => print({ error: error.code }));
  socket.on('close', (code, reason) => print({ code, reason: reason.toString() }));
});
