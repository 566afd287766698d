// Opens a page in a real Chromium and prints what the page reports, one JSON value a line, until it reports null.
import { useChromium } from './chromium.mjs';

const [executablePath, url] = process.argv.slice(2);
await useChromium(executablePath, {}, async page => {
  let end;
  const ended = new Promise(resolve => { end = resolve; });
  await page.exposeFunction('report', value => {
    if (value === null) end();
    else console.log(JSON.stringify(value));
  });
  await page.goto(url);
  await ended;
});
