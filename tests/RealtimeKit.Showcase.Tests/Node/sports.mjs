import { assert, live, more, number, text, until, visit } from './site.mjs';

await visit(async open => {
  const page = await open('sports');
  const watch = await open('sports');
  await live(page);
  await live(watch);
  await more(page, 'received', 2);
  await until(page, () => document.querySelectorAll('.match').length === 3);
  const id = await text(page, 'id');
  assert.ok(id.length > 10);

  await page.click('#offline');
  const received = await number(page, 'received');
  await more(watch, 'received', 6);
  assert.equal(await number(page, 'received'), received, 'it is offline');
  await page.click('#offline');
  await live(page);
  await until(page, () => Number(document.querySelector('#replayed').textContent) >= 5);
  await more(page, 'received', 1);
  assert.equal(await number(page, 'missed'), 0);
  assert.equal(await number(page, 'twice'), 0);
  assert.notEqual(await text(page, 'id'), id);
});
