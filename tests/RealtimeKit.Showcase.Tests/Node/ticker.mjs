import { assert, live, more, number, text, until, visit } from './site.mjs';

await visit(async open => {
  const page = await open('ticker');
  await live(page);
  await more(page, 'received', 40);
  await until(page, () => document.querySelectorAll('#prices tr').length === 8);   // each share's first price comes in its time
  const skippedAtOnce = await number(page, 'skipped');

  // Slow: the newest of each share, and the rest told as left out.
  await page.check('[name=pace][value="2000"]', { force: true });
  await until(page, least => Number(document.querySelector('#skipped').textContent) > least, skippedAtOnce + 40);
  assert.match(await text(page, 'gap'), /Left out/);

  // Away, and back: where it was, without a silent hole.
  await page.check('[name=pace][value="paused"]', { force: true });
  await until(page, () => document.querySelector('#state').textContent === 'paused');
  const newest = await number(page, 'newest');
  const watch = await open('ticker');
  await until(watch, newest => Number(document.querySelector('#newest').textContent) > newest + 100, newest);
  const skipped = await number(page, 'skipped');
  await page.check('[name=pace][value="0"]', { force: true });
  await until(page, least => Number(document.querySelector('#skipped').textContent) > least, skipped + 50);
  await more(page, 'received', 20);
  assert.equal(await number(page, 'missing'), 0);

  // News reach everybody, as text.
  await page.fill('#text', 'Fresh <b>news</b>');
  await page.click('#publish button');
  for (const reader of [page, watch])
    await until(reader, () => [...document.querySelectorAll('#news span')].some(span => span.textContent === 'Fresh <b>news</b>'));
});
