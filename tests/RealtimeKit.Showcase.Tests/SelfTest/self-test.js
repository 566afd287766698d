// Runs in any browser: opens the site's own pages in frames, uses them as people do, and posts one line of JSON for each page.
const open = async path => {
  const frame = document.createElement('iframe');
  frame.width = 900;
  frame.height = 700;
  frame.src = path;
  const errors = [];
  document.body.prepend(frame);
  await new Promise(resolve => frame.addEventListener('load', resolve, { once: true }));
  frame.contentWindow.addEventListener('error', event => errors.push(event.message));
  frame.contentWindow.addEventListener('unhandledrejection', event => errors.push(String(event.reason)));
  const page = frame.contentDocument;
  return {
    errors,
    find: selector => page.querySelector(selector),
    all: selector => [...page.querySelectorAll(selector)],
    text: id => page.getElementById(id).textContent,
    number: id => Number(page.getElementById(id).textContent),
    isLive: () => page.querySelector('#state').classList.contains('live'),
    click: selector => page.querySelector(selector).click(),
    type(selector, text) {
      const input = page.querySelector(selector);
      input.value = text;
      input.dispatchEvent(new frame.contentWindow.Event('input', { bubbles: true }));
    },
    key(type, code) { frame.contentWindow.dispatchEvent(new frame.contentWindow.KeyboardEvent(type, { code })); },
    close: () => frame.remove(),
  };
};

const until = async (condition, what) => {
  const end = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`This did not come: ${what ?? condition}`);
    await new Promise(resolve => setTimeout(resolve, 25));
  }
};

const tests = {
  async index() {
    const page = await open('/');
    await until(() => page.all('.cards a').length === 8);
    return [page];
  },
  async chat() {
    const ada = await open('/chat'), bob = await open('/chat');
    for (const [page, name] of [[ada, 'Fox Ada'], [bob, 'Fox Bob']]) {
      page.type('#name', name);
      page.click('#join button');
      await until(page.isLive, `${name} is in`);
    }
    ada.type('#text', '<b>text</b>');
    ada.click('#say button');
    await until(() => bob.all('#lines span').some(span => span.textContent === '<b>text</b>'), 'the message');
    return [ada, bob];
  },
  async ticker() {
    const page = await open('/ticker');
    await until(() => page.number('received') > 40, 'ticks');
    page.click('[name=pace][value="2000"]');
    await until(() => page.number('skipped') > 40, 'conflation');
    if (page.number('missing') !== 0) throw new Error('A silent gap');
    return [page];
  },
  async sports() {
    const page = await open('/sports'), watch = await open('/sports');
    await until(() => page.number('received') > 1 && watch.isLive(), 'plays');
    page.click('#offline');
    const seen = watch.number('received');
    await until(() => watch.number('received') > seen + 4, 'plays meanwhile');
    page.click('#offline');
    await until(() => page.number('replayed') > 2, 'the replay');
    if (page.number('missed') + page.number('twice') !== 0) throw new Error('Missed or twice');
    return [page, watch];
  },
  async collaboration() {
    const room = '/collaboration?room=fox', ada = await open(room), bob = await open(room);
    await until(() => ada.text('synced') === 'yes' && bob.text('synced') === 'yes', 'synchronisation');
    ada.click('#offline');
    bob.click('#offline');
    ada.type('#text', 'Ada wrote this. ');
    bob.type('#text', 'Bob wrote that. ');
    ada.click('#offline');
    bob.click('#offline');
    const both = page => ['Ada wrote this. ', 'Bob wrote that. '].every(text => page.find('#text').value.includes(text));
    await until(() => both(ada) && both(bob), 'the merge');
    if (ada.find('#text').value !== bob.find('#text').value) throw new Error('They differ');
    return [ada, bob];
  },
  async game() {
    const page = await open('/game');
    await until(() => page.number('latency') > 0 && page.number('rate') >= 10, 'frames');
    const picture = () => page.find('#field').toDataURL();
    const before = picture();
    page.key('keydown', 'ArrowLeft');
    page.key('keydown', 'ArrowUp');
    await until(() => picture() !== before, 'a move').catch(async () => {   // it stood in that corner
      page.key('keyup', 'ArrowLeft');
      page.key('keydown', 'ArrowRight');
      await until(() => picture() !== before, 'a move');
    });
    return [page];
  },
  async sensors() {
    const page = await open('/sensors');
    await until(() => page.number('number') > 5 && page.all('.plot canvas').length === 4, 'plots');
    page.click('#pause');
    const last = page.number('number');
    const watch = await open('/sensors');
    await until(() => watch.number('number') > last + 15, 'readings meanwhile');
    page.click('#pause');
    await until(() => page.number('replayed') > 5 && page.number('number') > last + 16, 'the replay');
    if (page.number('missing') !== 0) throw new Error('A hole');
    return [page, watch];
  },
  async inspector() {
    const page = await open('/inspector');
    await until(() => page.number('ping') > 0 && page.number('echo') > 0, 'round trips');
    for (const [what, code] of [['close 1000', '1000'], ['close 1002', '1002'], ['too big', '1009'], ['abort', '1006']]) {
      await until(page.isLive, 'the connection');
      page.click(`[data-do="${what}"]`);
      await until(() => page.find('#ends li span')?.textContent.startsWith(code), code).catch(error => { throw new Error(`${error}, but ${page.find('#ends').textContent}, ${page.text('state')}, ${page.text('buffered')}`); });
    }
    await until(() => page.all('#meters tr').length > 5 && page.all('#traces tr').length >= 2, 'meters and spans');
    return [page];
  },
  async comparison() {
    const page = await open('/comparison');
    const both = (row, least) => ['socket', 'events'].every(name => page.number(`${name}-${row}`) >= least);
    await until(() => both('messages', 10), 'messages');
    page.click('#cut');
    await until(() => both('breaks', 1) && page.number('events-replayed') > 0 && page.text('socket-state') === 'live', 'both back');
    if (page.number('events-missed') !== 0) throw new Error('Events are missing');
    return [page];
  },
};

for (const [name, test] of Object.entries(tests)) {
  let error = null;
  try {
    const pages = await test();
    const errors = pages.flatMap(page => page.errors);
    if (errors.length > 0) error = errors.join('; ');
  } catch (thrown) {
    error = `${thrown}`;
  }
  document.querySelectorAll('iframe').forEach(frame => frame.remove());
  await fetch('/self-test/results', { method: 'POST', body: JSON.stringify({ page: name, error }) });
}
await fetch('/self-test/results', { method: 'POST', body: JSON.stringify({ page: null, error: null, browser: navigator.userAgent }) });
