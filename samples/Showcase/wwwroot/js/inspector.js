import { Connection, byId, closeWithPage, element, log, setState, setText } from './common.js';

const names = { 1000: 'normal', 1001: 'going away', 1002: 'protocol error', 1006: 'no Close frame', 1009: 'message too big' };
let sent = 0, received = 0, openedAt = 0;
const size = bytes => bytes < 10_000 ? `${bytes} B` : `${(bytes / 1024).toFixed(1)} KiB`;

const connection = new Connection('/inspector/live', {
  open() {
    openedAt = performance.now();
    sent = received = 0;
    setState('live', 'live');
    send('ping');
    send(`echo ${performance.now()}`);
  },
  message(data) {
    received += data.length;
    if (data.startsWith('{')) setText('ping', JSON.parse(data).milliseconds.toFixed(2));
    else setText('echo', (performance.now() - Number(data.slice(5))).toFixed(2));
  },
  close({ code, reason, wasClean }) {
    setState('lost, coming back');
    log('ends', `${code} ${names[code] ?? ''}${reason ? `: “${reason}”` : ''} – ${wasClean ? 'clean' : 'not clean'}, after ${((performance.now() - openedAt) / 1000).toFixed(1)} s`);
  },
});

function send(text) {
  if (!connection.isOpen) return;
  sent += text.length;
  connection.send(text);
}

setInterval(() => { send('ping'); send(`echo ${performance.now()}`); }, 1000);
setInterval(() => {
  setText('sent', size(sent));
  setText('received', size(received));
  setText('buffered', size(connection.bufferedAmount));
  setText('age', connection.isOpen ? `${Math.floor((performance.now() - openedAt) / 1000)} s` : '–');
}, 250);
for (const button of document.querySelectorAll('[data-do]'))
  button.addEventListener('click', () => send(button.dataset.do === 'too big' ? 'x'.repeat(17 * 1024) : button.dataset.do));

listen('meters', ({ instrument, tags, unit, value, count, isMean }) =>
  [instrument.replace('realtimekit.', ''), tags, format(value, unit, isMean), isMean && `mean of ${count}`]);

// A delivery links to the publications in it, each a trace of its own.
listen('traces', ({ name, kind, count, topic, trace, links }) =>
  [name, `${kind.toLowerCase()}, ${topic ? `${topic}, ` : ''}${short(trace)}${links.length ? `, links to ${links.map(short).join(' ')}` : ''}`, String(count)]);

function short(trace) { return trace.slice(0, 8); }

// Each row: a name with a remark, and a number with one.
function listen(what, describe) {
  const source = new EventSource(`/inspector/${what}`);
  source.onopen = () => setState('live', 'live', `${what}-state`);
  source.onerror = () => setState('lost, coming back', '', `${what}-state`);
  source.onmessage = event => byId(what).replaceChildren(...JSON.parse(event.data).map(one => {
    const [name, remark, number, note] = describe(one);
    const row = element('tr'), left = element('td', name), right = element('td', number, 'number');
    if (remark) left.append(element('small', remark));
    if (note) right.append(element('small', note));
    row.append(left, right);
    return row;
  }));
  closeWithPage(source);
}

function format(value, unit, isMean) {
  if (unit === 's') return value < 1 ? `${(value * 1000).toFixed(2)} ms` : `${value.toFixed(1)} s`;
  if (unit === 'By') return size(Math.round(value));
  return isMean ? value.toFixed(2) : String(value);
}
