// How a page looks, light and dark and on a phone; and whether everybody can use it.
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { assert, live, more, until, visit } from './site.mjs';

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const looks = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  phone: { colorScheme: 'light', viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
};
const ready = {
  chat: async (page, look) => {
    await page.fill('#name', `Ada, ${look}`);
    await page.click('#join button');
    await live(page);
    for (const line of ['Hello!', 'Is <b>this</b> bold? No.']) {
      await page.fill('#text', line);
      await page.click('#say button');
    }
    await until(page, () => document.querySelectorAll('#lines .mine').length >= 2);
  },
  ticker: page => more(page, 'received', 40),
  sports: page => more(page, 'received', 1),
  collaboration: async (page, look) => {
    await live(page);
    await page.fill('#text', `Written in ${look}.\nOpen this page in another window.`);
  },
  game: page => until(page, () => Number(document.querySelector('#latency').textContent) > 0),
  sensors: page => more(page, 'number', 5),
  inspector: async page => {
    await live(page);
    await page.click('[data-do="close 1002"]');
    await until(page, () => document.querySelector('#ends li') && document.querySelectorAll('#meters tr').length > 5);
    await live(page);   // again: a page that goes while it connects complains
  },
  comparison: async page => {
    const beats = least => until(page, least => Number(document.querySelector('#events-messages').textContent) >= least, least);
    await beats(20);
  },
};

await visit(async (open, [path, folder]) => {
  await mkdir(folder, { recursive: true });
  const grounds = new Set();
  for (const [look, options] of Object.entries(looks)) {
    const page = await open(path === 'index' ? '' : path, options);
    await ready[path]?.(page, look);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth) <= 0, `${look}: it scrolls sideways`);
    await page.screenshot({ path: `${folder}/${path}-${look}.png`, fullPage: look === 'phone' });
    grounds.add(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));

    // axe comes in by the debugger: the page's own policy lets nothing in.
    await page.evaluate(axeSource);
    const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    assert.deepEqual(serious.map(({ id, nodes }) => `${look} ${id}: ${nodes.map(node => `${node.html} ${node.failureSummary}`).join('\n')}`), []);
    await page.context().close();
  }
  assert.equal(grounds.size, 2, 'light and dark differ');

  // The button overrules the system, and is remembered.
  const page = await open(path === 'index' ? '' : path, looks.light);
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.click('#theme');
  assert.notEqual(await ground(), light);
  await ready[path]?.(page, 'light again');   // a socket that is left while it connects is an error to Chromium
  await page.reload();
  assert.notEqual(await ground(), light);
});
