import { assert, live, more, number, text, until, visit } from './site.mjs';

await visit(async open => {
  const page = await open('sensors');
  await live(page);
  await more(page, 'number', 5);
  assert.equal(await page.locator('.plot canvas').count(), 4);
  for (const output of await page.locator('output').allTextContents()) assert.match(output, /^-?\d+(\.\d+)? (°C|mm\/s|%|MiB)$/);
  const isDrawn = await page.evaluate(() => [...document.querySelectorAll('.plot canvas')].every(canvas =>
    canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(value => value)));
  assert.ok(isDrawn);

  await page.click('#pause');
  await page.evaluate(() => new Promise(shown => requestAnimationFrame(() => requestAnimationFrame(shown))));   // it draws what it has once a frame
  const paused = await number(page, 'number');
  const watch = await open('sensors');
  await until(watch, paused => Number(document.querySelector('#number').textContent) > paused + 15, paused);
  assert.ok(await number(page, 'number') <= paused + 1);
  await page.click('#pause');
  await until(page, () => Number(document.querySelector('#replayed').textContent) >= 10);
  await more(page, 'number', 3);
  assert.equal(await text(page, 'missing'), '0');
});
