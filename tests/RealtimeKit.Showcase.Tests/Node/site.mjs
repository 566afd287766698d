// What every script needs: pages of the site in contexts of their own, where nothing may fail in silence.
import { chromium } from 'playwright-core';
import assert from 'node:assert/strict';

const [endpoint, url, ...args] = process.argv.slice(2);

export const timeout = 30_000;
export const number = async (page, id) => Number(await page.locator(`#${id}`).textContent());
export const text = (page, id) => page.locator(`#${id}`).textContent();
export const until = (page, condition, argument) => page.waitForFunction(condition, argument, { timeout, polling: 50 });
export const live = page => until(page, () => document.querySelector('#state').classList.contains('live'));
export const more = async (page, id, by = 1) => {
  const had = await number(page, id) || 0;   // it says – before the first
  await until(page, ([id, least]) => Number(document.getElementById(id).textContent) >= least, [id, had + by]);
};

/** @param use takes `open(path, { prepare, ...contextOptions })`, which gives a page in a new context; console errors that `expected` does not match fail. */
export async function visit(use, expected = /^$/) {
  const browser = await chromium.connect(endpoint);
  const problems = [];
  const contexts = [];
  try {
    await use(async (path, { prepare, ...options } = {}) => {
      const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
      contexts.push(context);
      const page = await context.newPage();
      await prepare?.(page);
      page.setDefaultTimeout(timeout);
      page.on('pageerror', error => problems.push(`${path}: ${error.stack}`));
      page.on('console', message => {
        if (['error', 'warning'].includes(message.type()) && !expected.test(message.text())) problems.push(`${path}: ${message.text()}`);
      });
      page.on('request', request => {
        if (!request.url().startsWith(url) && !request.url().startsWith('data:')) problems.push(`${path} asked for ${request.url()}`);
      });
      page.on('websocket', socket => {
        if (!socket.url().startsWith(url.replace('http', 'ws'))) problems.push(`${path} connected to ${socket.url()}`);
      });
      const answer = await page.goto(new URL(path, url).href);
      assert.equal(answer.status(), 200, path);
      return page;
    }, args);
    assert.deepEqual(problems, []);
  } finally {
    for (const context of contexts) await context.close();
    await browser.close();
  }
}
export { assert };
