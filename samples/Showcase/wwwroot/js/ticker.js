import { byId, closeWithPage, element, log, setState, setText } from './common.js';

const rows = new Map();
const counts = { received: 0, skipped: 0, missing: 0 };
let source, lastEventId = '', newest = 0, told = 0;

function open(pace) {
  source?.close();
  if (pace === 'paused') {
    setState('paused', 'off');
    return;
  }
  source = new EventSource(`/ticker/live?pace=${pace}&lastEventId=${lastEventId}`);
  source.onopen = () => setState('live', 'live');
  source.onerror = () => setState('lost, coming back');
  source.addEventListener('price', event => {
    lastEventId = event.lastEventId;
    take(JSON.parse(event.data));
  });
  source.addEventListener('news', event => {
    lastEventId = event.lastEventId;
    log('news', event.data);
  });
  source.addEventListener('gap', event => {
    const { topic, from, to } = JSON.parse(event.data);
    if (topic !== 'price') return;
    lastEventId = event.lastEventId;
    const [[epoch, first], [newEpoch, last]] = [from.split('-'), to.split('-')];
    if (epoch !== newEpoch) newest = 0;   // the server has begun anew: nobody knows how much that was
    else told += Number(last) - Number(first);
  });
  closeWithPage(source);
}

function take(price) {
  const left = newest ? price.number - newest - 1 : 0;
  counts.received++;
  counts.skipped += told;
  counts.missing += Math.max(0, left - told);
  if (told > 0) setText('gap', `Left out on the way to tick ${price.number}: ${told}, each of them older than a price that came.`);
  told = 0;
  newest = price.number;
  for (const [name, count] of Object.entries(counts)) setText(name, count);
  setText('newest', newest);
  show(price);
}

function show({ share, value, change }) {
  let row = rows.get(share);
  if (!row) {
    row = { cells: ['th', 'td', 'td', 'td'].map(name => element(name)), values: [] };
    row.cells[0].scope = 'row';
    row.cells[1].className = 'number';
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('viewBox', '0 0 60 20');
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('aria-hidden', 'true');
    row.line = svg.appendChild(document.createElementNS('http://www.w3.org/2000/svg', 'polyline'));
    row.cells[3].append(svg);
    row.cells[0].textContent = share;
    const tr = element('tr');
    tr.append(...row.cells);
    const after = [...rows.keys()].sort().find(other => other > share);
    byId('prices').insertBefore(tr, after ? rows.get(after).cells[0].parentNode : null);
    rows.set(share, row);
  }
  row.cells[1].textContent = value.toFixed(2);
  row.cells[2].textContent = `${change > 0 ? '+' : change < 0 ? '−' : ''}${Math.abs(change).toFixed(2)}`;
  row.cells[2].className = `number ${change > 0 ? 'up' : change < 0 ? 'down' : ''}`;
  row.values.push(value);
  if (row.values.length > 60) row.values.shift();
  const low = Math.min(...row.values), high = Math.max(...row.values, low + 0.5);
  row.line.setAttribute('points', row.values.map((v, i) => `${i},${(19 - (v - low) / (high - low) * 18).toFixed(1)}`).join(' '));
}

for (const choice of document.querySelectorAll('[name=pace]')) choice.addEventListener('change', () => open(choice.value));
byId('publish').addEventListener('submit', async event => {
  event.preventDefault();
  const text = byId('text').value;
  byId('text').value = '';
  const answer = await fetch('/ticker/news', { method: 'POST', body: text });
  if (!answer.ok) log('news', answer.status === 429 ? 'Not so fast.' : `Refused: ${answer.status}`);
});
open(document.querySelector('[name=pace]:checked').value);
