import { Connection, byId, element, setState, setText, timeOf } from './common.js';

const lines = byId('lines');
byId('name').value = sessionStorage.getItem('name') ?? `Guest ${100 + Math.floor(Math.random() * 900)}`;
let connection;

byId('join').addEventListener('submit', event => {
  event.preventDefault();
  const name = byId('name').value.trim();
  let wasIn = false;
  setText('problem', '');
  setState('connecting');
  connection = new Connection(`/chat/live?name=${encodeURIComponent(name)}`, {
    message(data) {
      if (!wasIn) {
        wasIn = true;
        sessionStorage.setItem('name', name);
        byId('join').hidden = true;
        byId('room').hidden = false;
        byId('text').focus();
      }
      setState('live', 'live');
      show(JSON.parse(data), name);
    },
    open() { lines.replaceChildren(); },   // what was said comes again, with what was missed
    close(event) {
      setState('lost, coming back');
      if (event.code !== 4409 || wasIn) return true;   // after a break, the name may still be one's own
      setState('not connected', 'off');
      setText('problem', event.reason);
      return false;
    },
  });
});

byId('say').addEventListener('submit', event => {
  event.preventDefault();
  connection.send(byId('text').value);
  byId('text').value = '';
});

// textContent everywhere: a message is text, whatever it looks like.
function show(said, me) {
  const view = byId('log');
  const isAtEnd = view.scrollHeight - view.scrollTop - view.clientHeight < 40;
  const line = element('li', undefined, said.kind === 'line' ? (said.name === me ? 'mine' : '') : 'event');
  line.append(element('time', timeOf(new Date(said.at))));
  if (said.kind === 'line') line.append(element('b', said.name), element('span', said.text));
  else line.append(element('span', `${said.name} ${said.kind}`));
  lines.append(line);
  while (lines.children.length > 300) lines.firstElementChild.remove();
  if (isAtEnd) view.scrollTop = view.scrollHeight;
  if (said.people) {
    byId('people').replaceChildren(...said.people.map(name => element('li', name)));
    setText('count', said.people.length);
  }
}
