import * as Y from '../vendor/yjs.js';
import { WebsocketProvider } from '../vendor/y-websocket.js';
import { byId, element, setState, setText } from './common.js';

const room = /^[a-z0-9-]{1,40}$/.exec(new URLSearchParams(location.search).get('room') ?? '')?.[0] ?? 'lobby';
const doc = new Y.Doc();
const text = doc.getText('text');
const area = byId('text');
setText('room', room);

// disableBc: tabs of one browser go through the server too, instead of talking to each other.
const provider = new WebsocketProvider(location.origin.replace(/^http/, 'ws') + '/collaboration/live', room, doc, { disableBc: true });
provider.on('status', ({ status }) => setState(status === 'connected' ? 'live' : status, status === 'connected' ? 'live' : status === 'disconnected' ? 'off' : ''));
provider.on('sync', isSynced => setText('synced', isSynced ? 'yes' : 'no'));
provider.on('closed', ({ reason }) => setState(reason, 'off'));
addEventListener('pagehide', () => provider.disconnect());
addEventListener('pageshow', event => event.persisted && provider.connect());

// What was typed is the difference between the text before and after: a run taken out and a run put in.
area.addEventListener('input', () => {
  const before = text.toString(), now = area.value;
  let start = 0, end = 0;
  const shorter = Math.min(before.length, now.length);
  while (start < shorter && before[start] === now[start]) start++;
  while (end < shorter - start && before[before.length - 1 - end] === now[now.length - 1 - end]) end++;
  doc.transact(() => {
    text.delete(start, before.length - start - end);
    text.insert(start, now.slice(start, now.length - end));
  }, 'typed');
});

let remote = 0;
text.observe(event => {
  setText('length', text.length);
  if (event.transaction.origin === 'typed') return;
  setText('remote', ++remote);

  // The caret stays where it was in the text, not where it was counted.
  const moved = position => {
    let index = 0;
    for (const { retain, insert, delete: removed } of event.delta) {
      if (retain) index += retain;
      else if (insert && index <= position) { position += insert.length; index += insert.length; }
      else if (removed && index < position) position -= Math.min(removed, position - index);
    }
    return position;
  };
  const [from, to] = [moved(area.selectionStart), moved(area.selectionEnd)];
  area.value = text.toString();
  if (document.activeElement === area) area.setSelectionRange(from, to);
});

const name = sessionStorage.getItem('name') ?? `Guest ${100 + Math.floor(Math.random() * 900)}`;
sessionStorage.setItem('name', name);
provider.awareness.setLocalState({ name, caret: 0 });
document.addEventListener('selectionchange', () => {
  if (document.activeElement === area) provider.awareness.setLocalStateField('caret', area.selectionStart);
});
const showPeople = () => {
  const people = [...provider.awareness.getStates()].sort(([a], [b]) => a - b);
  setText('count', people.length);
  byId('people').replaceChildren(...people.map(([id, state]) =>
    element('li', id === doc.clientID ? `${state.name} (you)` : `${state.name}, at character ${state.caret}`, `c${id % 6}`)));
};
provider.awareness.on('change', showPeople);
showPeople();

const button = byId('offline');
button.addEventListener('click', () => {
  const isOffline = button.getAttribute('aria-pressed') === 'false';
  button.setAttribute('aria-pressed', String(isOffline));
  button.textContent = isOffline ? 'Come back' : 'Go offline';
  if (isOffline) provider.disconnect();
  else provider.connect();
});
