// Follows samples/Broadcast on a phone's screen, light and dark: cuts all connections, and prints what the page then shows.
import { useChromium } from './chromium.mjs';

const [executablePath, url, screenshots] = process.argv.slice(2);
await useChromium(executablePath, { viewport: { width: 360, height: 740 } }, async page => {
  const errors = [];
  page.on('pageerror', error => errors.push(String(error)));
  await page.goto(url);
  const number = (panel, what) => page.locator(`#${panel} .${what}`).textContent().then(Number);
  const until = (condition, argument) => page.waitForFunction(condition, argument, { timeout: 50_000 });
  const bothLive = () => until(() => document.querySelectorAll('.state.live').length === 2);
  const more = (panel, than) => until(([panel, than]) => Number(document.querySelector(`#${panel} .received`).textContent) > than, [panel, than]);
  await bothLive();
  for (let cut = 1; cut <= 2; cut++) {
    for (const panel of ['eventsource', 'websocket']) await more(panel, await number(panel, 'received') + 3);
    await page.click('#cut');
    await until(cut => [...document.querySelectorAll('.resumed')].every(count => Number(count.textContent) >= cut), cut);
    await bothLive();
  }
  for (const panel of ['eventsource', 'websocket']) await more(panel, await number(panel, 'received') + 3);

  const result = { errors };
  for (const panel of ['eventsource', 'websocket']) {
    result[panel] = {};
    for (const what of ['received', 'resumed', 'twice', 'missed']) result[panel][what] = await number(panel, what);
  }
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    result[colorScheme] = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    if (screenshots) await page.screenshot({ path: `${screenshots}/scoreboard-${colorScheme}.png`, fullPage: true });
  }
  result.overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  console.log(JSON.stringify(result));
});
