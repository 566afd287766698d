import { assert, live, number, until, visit } from './site.mjs';

await visit(async open => {
  const ada = await open('game'), bob = await open('game');
  await live(ada);
  await live(bob);
  for (const page of [ada, bob]) {
    await until(page, () => document.querySelector('#players').textContent === '2');
    await until(page, () => Number(document.querySelector('#latency').textContent) > 0);
    await until(page, () => Number(document.querySelector('#rate').textContent) >= 10);   // 60, less what a busy machine takes
  }
  assert.equal(await number(ada, 'bytes'), 10 + 2 * 12);

  // What one does, the other sees.
  const picture = () => bob.evaluate(() => document.querySelector('#field').toDataURL());
  const before = await picture();
  await ada.focus('#field');
  for (const key of ['ArrowLeft', 'ArrowRight']) {
    await ada.keyboard.down(key);
    await ada.waitForTimeout(200);   // how long a key is down, not a wait for a state
    await ada.keyboard.up(key);
    if (await picture() !== before) break;
  }
  await until(bob, before => document.querySelector('#field').toDataURL() !== before, before);
  await ada.close();
  await until(bob, () => document.querySelector('#players').textContent === '1');
});
