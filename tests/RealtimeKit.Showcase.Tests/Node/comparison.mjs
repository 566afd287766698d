import { assert, number, text, until, visit } from './site.mjs';

await visit(async open => {
  const page = await open('comparison');
  const both = (row, least) => until(page, ([row, least]) =>
    ['socket', 'events'].every(name => Number(document.getElementById(`${name}-${row}`).textContent) >= least), [row, least]);
  await both('messages', 20);
  const [socket, events] = [await number(page, 'socket-each'), await number(page, 'events-each')];
  assert.ok(socket > 50 && socket < 100, `${socket}`);
  assert.ok(events - socket > 15 && events - socket < 60, `an event's id, fields and chunk: ${events} against ${socket}`);
  assert.ok(await number(page, 'events-opening') < 1000, 'of this stream alone');
  assert.match(await text(page, 'socket-median'), /^\d+\.\d ms$/);

  await page.click('#cut');
  await both('breaks', 1);
  await until(page, () => ['socket', 'events'].every(name => document.getElementById(`${name}-state`).textContent === 'live'));
  await until(page, () => Number(document.querySelector('#events-replayed').textContent) > 0);
  assert.equal(await number(page, 'events-missed'), 0, 'the browser has said where it was');
  await until(page, () => Number(document.querySelector('#socket-missed').textContent) > 0);
}, /ERR_CONNECTION_RESET|ERR_INCOMPLETE_CHUNKED_ENCODING|WebSocket connection to .* failed/);
