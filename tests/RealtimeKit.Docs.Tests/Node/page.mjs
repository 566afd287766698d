// Opens a page with a script in a real Chromium, as if its server had sent it, and prints so many lines that the script logs.
import { useChromium } from '../../RealtimeKit.AspNetCore.Tests/Node/chromium.mjs';

const [executablePath, url, script, lines] = process.argv.slice(2);
await useChromium(executablePath, {}, async page => {
  let left = Number(lines), end;
  const ended = new Promise(resolve => { end = resolve; });
  const print = text => {
    if (left > 0) console.log(JSON.stringify(text));
    if (--left === 0) end();
  };
  page.on('console', message => print(message.text()));
  page.on('pageerror', error => print(`${error}`));
  await page.route(url, route => route.fulfill({ contentType: 'text/html', body: `<!doctype html><script type="module">${script}</script>` }));
  await page.goto(url);
  await ended;
});
