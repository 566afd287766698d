// Plays a scenario through npm @azure/web-pubsub-client and prints what it saw, one JSON value a line.
import { WebPubSubClient, WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol } from '@azure/web-pubsub-client';

const [scenario, url, ...rest] = process.argv.slice(2);
const print = value => console.log(JSON.stringify(value));
const protocols = { plain: WebPubSubJsonProtocol, reliable: WebPubSubJsonReliableProtocol };
const newClient = (protocol, options = {}) => new WebPubSubClient({ getClientAccessUrl: () => url }, { protocol: protocols[protocol](), ...options });
const data = message => message.dataType === 'binary' ? [...new Uint8Array(message.data)] : message.data;

// What a client is told, in the order in which it is told; next() waits for it.
const record = (client, event) => {
  const waiting = [];
  const arrived = [];
  client.on(event, value => {
    if (waiting.length > 0) waiting.shift()(value);
    else arrived.push(value);
  });
  return () => arrived.length > 0 ? Promise.resolve(arrived.shift()) : new Promise(resolve => waiting.push(resolve));
};

const failure = async promise => {
  try {
    await promise;
    return null;
  } catch (error) {
    return error.errorDetail;
  }
};

const scenarios = {
  // Two clients in one group: every type of data, echo and none, acknowledgements, refusals, events, a message of the server.
  async talk() {
    const [protocol] = rest;
    const [ann, bob] = [newClient(protocol, { messageRetryOptions: { maxRetries: 0 } }), newClient(protocol)];
    const [connected, toAnn, toBob, fromServer] = [record(ann, 'connected'), record(ann, 'group-message'), record(bob, 'group-message'), record(bob, 'server-message')];
    await ann.start();
    await bob.start();
    const { connectionId, userId } = await connected();
    print({ hasId: connectionId.length > 0, userId });
    await bob.joinGroup('room');
    await ann.joinGroup('room');
    for (const [value, type] of [[{ a: [1, 'ä'] }, 'json'], ['"text" 😀', 'text'], [Uint8Array.of(0, 255, 7).buffer, 'binary']]) {
      const { isDuplicated } = await ann.sendToGroup('room', value, type, { noEcho: true });
      const { message } = await toBob();
      print({ isDuplicated, from: message.fromUserId, group: message.group, type: message.dataType, data: data(message), numbered: message.sequenceId !== undefined });
    }
    await ann.sendToGroup('room', 'echo', 'text', { fireAndForget: true });
    print({ toAnn: data((await toAnn()).message), toBob: data((await toBob()).message) });
    await ann.sendToGroup('room', 'once', 'text', { ackId: 77 });
    print({ again: await ann.sendToGroup('room', 'once', 'text', { ackId: 77 }) });
    print({ toBob: data((await toBob()).message) });
    print({ join: await failure(ann.joinGroup('secret')), publish: await failure(ann.sendToGroup('secret', 'x', 'text')) });
    print({ protobuf: await failure(ann.sendToGroup('room', Uint8Array.of(1).buffer, 'protobuf')) });
    await ann.sendEvent('moved', { x: 1 }, 'json');
    print({ event: await failure(ann.sendEvent('broken', 'x', 'text')) });
    print({ fromServer: data((await fromServer()).message) });
    await bob.leaveGroup('room');
    await ann.sendToGroup('room', 'after', 'text');
    await bob.joinGroup('room');
    await ann.sendToGroup('room', 'last', 'text');
    print({ toBob: data((await toBob()).message) });
    for (const client of [ann, bob]) {
      const stopped = record(client, 'stopped');
      client.stop();
      await stopped();
    }
  },

  // Follows groups whose messages are numbered from 1, publishes such ones itself to the last, and tells what was not the next.
  async follow() {
    const groups = rest[0].split(',');
    const own = Number(rest[1]);
    const client = newClient('reliable', { messageRetryOptions: { maxRetries: 1000, retryDelayInMs: 50 }, autoRejoinGroups: true });
    const seen = Object.fromEntries(groups.map(group => [group, 0]));
    const events = { connected: 0, disconnected: 0 };
    const wrong = [];
    const ends = new Promise(resolve => client.on('group-message', ({ message: { group, data } }) => {
      if (data === 'end') return resolve();
      if (Number(data) !== seen[group] + 1) wrong.push([group, seen[group], data]);
      seen[group] = Number(data);
      if (seen[group] % 25 === 0) print({ seen });
    }));
    client.on('connected', () => events.connected++);
    client.on('disconnected', () => events.disconnected++);
    await client.start();
    for (const group of groups) await client.joinGroup(group);
    print({ joined: groups });
    for (let i = 1; i <= own; i++) await client.sendToGroup(groups.at(-1), String(i), 'text', { ackId: 1_000_000 + i });
    print({ published: own });
    await ends;
    print({ ...events, seen, wrong });
    process.exit(0);
  },

  // Joins, and says all that it is told, until it is killed.
  async watch() {
    const client = newClient('reliable');
    client.on('connected', ({ connectionId }) => print({ connected: connectionId }));
    client.on('disconnected', ({ message }) => print({ disconnected: message?.message ?? null }));
    client.on('group-message', ({ message }) => print({ data: message.data }));
    await client.start();
    await client.joinGroup('room');
    print({ joined: 'room' });
  },
};

await scenarios[scenario]();
if (scenario === 'talk') process.exit(0);
