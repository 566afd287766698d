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

const source = new EventSource('/inspector/meters');
source.onopen = () => setState('live', 'live', 'meters-state');
source.onerror = () => setState('lost, coming back', '', 'meters-state');
source.onmessage = event => {
  byId('meters').replaceChildren(...JSON.parse(event.data).map(({ instrument, tags, unit, value, count, isMean }) => {
    const row = element('tr'), name = element('td', instrument.replace('realtimekit.', '')), number = element('td', format(value, unit, isMean), 'number');
    if (tags) name.append(element('small', tags));
    if (isMean) number.append(element('small', `mean of ${count}`));
    row.append(name, number);
    return row;
  }));
};
closeWithPage(source);

function format(value, unit, isMean) {
  if (unit === 's') return value < 1 ? `${(value * 1000).toFixed(2)} ms` : `${value.toFixed(1)} s`;
  if (unit === 'By') return size(Math.round(value));
  return isMean ? value.toFixed(2) : String(value);
}
