import { assert, live, until, visit } from './site.mjs';

await visit(async open => {
  const page = await open('inspector');
  await live(page);
  await until(page, () => Number(document.querySelector('#ping').textContent) > 0 && Number(document.querySelector('#echo').textContent) > 0);
  for (const [what, code, clean] of [['close 1000', '1000', 'clean'], ['close 1002', '1002', 'clean'], ['too big', '1009', 'clean'], ['abort', '1006', 'not clean']]) {
    await live(page);
    await page.click(`[data-do="${what}"]`);
    await until(page, ([code, clean]) => {
      const last = document.querySelector('#ends li span')?.textContent ?? '';
      return last.startsWith(code) && last.includes(`– ${clean},`);
    }, [code, clean]);
  }
  await live(page);

  // The library's own meters saw all that.
  const meter = (name, tags) => until(page, ([name, tags]) => [...document.querySelectorAll('#meters tr')].some(row => {
    const cell = row.cells[0];
    return cell.firstChild.textContent === name && tags.every(tag => cell.textContent.includes(tag)) && parseFloat(row.cells[1].textContent) > 0;
  }), [name, tags]);
  await meter('websocket.active_connections', []);
  await meter('websocket.ping.duration', []);
  await meter('websocket.protocol_errors', ['MessageTooBig']);
  for (const code of ['1000', '1002', '1006', '1009']) await meter('websocket.connection.duration', [code]);
  await meter('sse.server.active_streams', []);
  await meter('topics.published', []);

  // And its spans: a delivery links to the publication that it delivers. There is one where somebody watches.
  await live(await open('sports'));
  await until(page, () => {
    const rows = Object.fromEntries([...document.querySelectorAll('#traces tr')].map(row => [row.cells[0].firstChild.textContent, row]));
    return rows.publish && rows.deliver && Number(rows.deliver.cells[1].textContent) > 0 && /^publishproducer, \S+, [0-9a-f]{8}$/.test(rows.publish.cells[0].textContent)
      && /^deliverconsumer, [0-9a-f]{8}, links to [0-9a-f]{8}/.test(rows.deliver.cells[0].textContent);
  });
  assert.ok(true);
}, /WebSocket connection to .* failed/);
