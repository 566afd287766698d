import { assert, live, number, until, visit } from './site.mjs';

await visit(async open => {
  const join = async (page, name) => {
    await page.fill('#name', name);
    await page.click('#join button');
    await live(page);
  };
  const say = async (page, text) => {
    await page.fill('#text', text);
    await page.click('#say button');
  };
  const sees = (page, text) => until(page, text => [...document.querySelectorAll('#lines span')].some(span => span.textContent === text), text);
  const people = count => page => until(page, count => Number(document.querySelector('#count').textContent) === count, count);

  const ada = await open('chat');
  await join(ada, 'Ada');
  await say(ada, 'before Bob came');

  // Whoever comes in sees what was said.
  let cut;
  const bob = await open('chat', {
    prepare: page => page.routeWebSocket(/chat\/live/, socket => {
      const server = socket.connectToServer();
      cut = () => { server.close(); socket.close({ code: 4000 }); };
    }),
  });
  await join(bob, 'Bob');
  await sees(bob, 'before Bob came');
  await people(2)(ada);
  await people(2)(bob);

  // Text stays text.
  const hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  await say(bob, hostile);
  await sees(ada, hostile);
  assert.equal(await ada.locator('#lines img, #lines script').count(), 0);
  assert.match(await ada.title(), /^Chat/);

  // A name belongs to one.
  const other = await open('chat');
  await other.fill('#name', 'Ada');
  await other.click('#join button');
  await until(other, () => /taken/.test(document.querySelector('#problem').textContent));

  // The connection is lost, and comes back with what was said meanwhile.
  const lost = until(bob, () => document.querySelector('#state').textContent === 'lost, coming back');   // it may be back after a quarter of a second
  await cut();
  await lost;
  await say(ada, 'while Bob was away');
  await live(bob);
  await sees(bob, 'while Bob was away');
  await sees(bob, 'before Bob came');

  await bob.close();
  await people(1)(ada);
  assert.equal(await number(ada, 'count'), 1);
});
