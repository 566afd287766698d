// Opens a page in a real Chromium and prints what the page reports, one JSON value a line, until it reports null.
import { chromium } from 'playwright-core';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [executablePath, url] = process.argv.slice(2);
const profile = await mkdtemp(join(tmpdir(), 'realtimekit-chromium-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath,
  headless: true,
  ignoreHTTPSErrors: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
try {
  const page = await context.newPage();
  let end;
  const ended = new Promise(resolve => { end = resolve; });
  await page.exposeFunction('report', value => {
    if (value === null) end();
    else console.log(JSON.stringify(value));
  });
  await page.goto(url);
  await ended;
} finally {
  await context.close();
  await rm(profile, { recursive: true, force: true });
}
