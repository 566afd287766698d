// y-websocket leaves a server from which it hears nothing for 30 s: somebody alone must hear something.
import { assert, live, until, visit } from './site.mjs';

await visit(async open => {
  const page = await open('collaboration?room=alone');
  await live(page);
  await page.evaluate(() => {
    window.lost = 0;
    new MutationObserver(() => { if (document.querySelector('#state').textContent !== 'live') window.lost++; })
      .observe(document.querySelector('#state'), { childList: true });
    window.since = performance.now();
  });
  await page.waitForFunction(() => performance.now() - window.since > 62_000, undefined, { timeout: 90_000, polling: 1000 });
  assert.equal(await page.evaluate(() => window.lost), 0);
  await until(page, () => document.querySelector('#state').textContent === 'live');
});
