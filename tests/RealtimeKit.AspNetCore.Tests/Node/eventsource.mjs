// Follows an event stream through npm eventsource, and prints what it saw, one JSON value a line, until the source is closed for good.
import { EventSource } from 'eventsource';

const print = value => console.log(JSON.stringify(value));
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
const source = new EventSource(process.argv[2]);
source.onopen = () => print('open');
source.onmessage = event => print({ data: event.data, id: event.lastEventId });
source.addEventListener('alive', () => print('alive'));
source.onerror = error => {
  const isClosed = source.readyState === EventSource.CLOSED;
  print(isClosed ? { closed: error.code ?? null } : 'lost');
};
