import { assert, live, until, visit } from './site.mjs';

const room = `collaboration?room=merge-${process.pid}`;
const has = (page, part) => until(page, part => document.querySelector('#text').value.includes(part), part);
const synced = page => until(page, () => document.querySelector('#synced').textContent === 'yes');
const append = async (page, text) => {
  await page.focus('#text');
  await page.keyboard.press('Control+End');
  await page.keyboard.type(text);
};

await visit(async open => {
  const ada = await open(room), bob = await open(room);
  await synced(ada);
  await synced(bob);
  await append(ada, 'Both see this. ');
  await has(bob, 'Both see this. ');
  for (const page of [ada, bob]) await until(page, () => document.querySelectorAll('#people li').length === 2);

  // Both go offline and write; both edits are there afterwards, in one order.
  await ada.click('#offline');
  await bob.click('#offline');
  await append(ada, 'Ada wrote alone. ');
  await append(bob, 'Bob wrote alone. ');
  assert.ok(!(await bob.inputValue('#text')).includes('Ada'));
  await ada.click('#offline');
  await bob.click('#offline');
  await has(ada, 'Bob wrote alone. ');
  await has(bob, 'Ada wrote alone. ');
  const merged = await ada.inputValue('#text');
  assert.equal(await bob.inputValue('#text'), merged);

  // Enough edits for the server to have them merged, and more after that.
  await append(ada, 'x'.repeat(230));
  await has(bob, 'x'.repeat(230));
  await append(bob, ' and y');
  await has(ada, ' and y');
  const last = await ada.inputValue('#text');

  // Everybody leaves; the document does not.
  await ada.context().close();
  await until(bob, () => document.querySelectorAll('#people li').length === 1);
  await bob.context().close();
  const carol = await open(room);
  await synced(carol);
  await live(carol);
  assert.equal(await carol.inputValue('#text'), last);
});
