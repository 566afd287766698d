import { byId, closeWithPage, element, log, setState, setText } from './common.js';

const cards = new Map();
const numbers = new Map();
const counts = { received: 0, replayed: 0, missed: 0, twice: 0 };
let source, after, known = new Map();

const table = async () => (await fetch('/sports/table')).json();

function open() {
  source = new EventSource(`/sports/live?lastEventId=${after}`);
  source.onopen = () => setState('live', 'live');
  source.onerror = () => setState('lost, coming back');
  for (const topic of cards.keys()) source.addEventListener(topic, take);
  closeWithPage(source);
}

function take(event) {
  after = event.lastEventId;
  const match = JSON.parse(event.data);
  const had = numbers.get(match.topic);
  if (match.number <= had) counts.twice++;
  else counts.missed += match.number - had - 1;
  counts.received++;
  if (match.number <= (known.get(match.topic) ?? 0)) counts.replayed++;
  for (const [name, count] of Object.entries(counts)) setText(name, count);
  setText('id', after);
  show(match);
  if (match.news) log('plays', `${match.home} – ${match.away}: ${match.news}`);
}

function show(match) {
  let card = cards.get(match.topic);
  if (!card) {
    card = Object.fromEntries(['home', 'score', 'away', 'minute'].map(name => [name, element('span', '', name)]));
    const article = element('div', undefined, 'match');
    article.append(...Object.values(card));
    byId('matches').append(article);
    cards.set(match.topic, card);
  }
  card.home.textContent = match.home;
  card.away.textContent = match.away;
  card.score.textContent = `${match.homeGoals} : ${match.awayGoals}`;
  card.minute.textContent = `minute ${match.minute}`;
  numbers.set(match.topic, match.number);
}

const button = byId('offline');
button.addEventListener('click', async () => {
  if (button.getAttribute('aria-pressed') === 'false') {
    source.close();
    setState('offline', 'off');
    button.textContent = 'Come back';
    button.setAttribute('aria-pressed', 'true');
    return;
  }
  // Whatever has happened by now was missed, and is to be replayed.
  known = new Map((await table()).matches.map(match => [match.topic, match.number]));
  counts.replayed = 0;
  button.textContent = 'Go offline';
  button.setAttribute('aria-pressed', 'false');
  setState('connecting');
  open();
});

const { cursor, matches } = await table();
after = cursor;
matches.forEach(show);
open();
