import { Connection, byId, closeWithPage, element } from './common.js';

const key = crypto.randomUUID();
const rows = [
  ['state', 'State'], ['messages', 'Messages'], ['median', 'Delay, median'], ['worst', 'Delay, 95th percentile'],
  ['opening', 'Bytes to open'], ['each', 'Bytes a message'], ['total', 'Bytes in all'],
  ['breaks', 'Breaks'], ['away', 'Away for, last time'], ['replayed', 'Replayed after breaks'], ['missed', 'Missed'],
];
let fastest = Infinity;   // of all messages of both: what differs between the clocks is in it, and in every other

function column(name) {
  const cells = {};
  const counts = { messages: 0, breaks: 0, replayed: 0, missed: 0, total: 0 };
  let delays = [], first = null, before = 0, last = 0, lostAt = null, away = null, state = 'connecting', opening = null, each = null;
  return {
    cells,
    opened() {
      state = 'live';
      first = null;
    },
    lost(text) {
      state = text;
      if (lostAt !== null) return;
      lostAt = performance.now();
      counts.breaks++;
    },
    take(beat) {
      const delay = performance.timeOrigin + performance.now() - beat.at;
      counts.messages++;
      if (lostAt !== null) { away = performance.now() - lostAt; lostAt = null; }
      if (beat.isReplay) counts.replayed++;
      fastest = Math.min(fastest, delay);
      delays.push(delay);
      if (delays.length > 400) delays.shift();
      if (last) counts.missed += beat.number - last - 1;
      last = beat.number;
      if (!first) { first = { bytes: beat.bytes, messages: 0 }; opening = beat.bytes; before = 0; }
      else each = (beat.bytes - first.bytes) / ++first.messages;
      counts.total += beat.bytes - before;
      before = beat.bytes;
    },
    show() {
      const sorted = delays.toSorted((a, b) => a - b);
      const ms = value => value === undefined ? '–' : `${(value - fastest).toFixed(1)} ms`;
      const texts = {
        ...counts, state, median: ms(sorted[sorted.length >> 1]), worst: ms(sorted[Math.floor(sorted.length * 0.95)]),
        opening: opening ?? '–', each: each?.toFixed(1) ?? '–', away: away === null ? '–' : `${(away / 1000).toFixed(2)} s`,
      };
      for (const [row] of rows) cells[row].textContent = texts[row];
    },
  };
}

const socket = column('socket'), events = column('events');
for (const [row, title] of rows) {
  const tr = element('tr'), head = element('th', title);
  head.scope = 'row';
  tr.append(head);
  for (const [name, { cells }] of [['socket', socket], ['events', events]]) {
    cells[row] = element('td');
    cells[row].id = `${name}-${row}`;
    tr.append(cells[row]);
  }
  byId('rows').append(tr);
}

new Connection(`/comparison/socket?key=${key}`, {
  open: socket.opened,
  message: data => socket.take(JSON.parse(data)),
  close: () => socket.lost('lost, the page comes back'),
});
const source = new EventSource(`/comparison/events?key=${key}`);
source.onopen = events.opened;
source.onerror = () => events.lost('lost, the browser comes back');
source.onmessage = event => events.take(JSON.parse(event.data));
closeWithPage(source);
byId('cut').addEventListener('click', () => fetch(`/comparison/cut?key=${key}`, { method: 'POST' }));
setInterval(() => { socket.show(); events.show(); }, 250);
socket.show();
events.show();
