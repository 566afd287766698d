import uPlot from '../vendor/uplot.js';
import { byId, closeWithPage, element, setState, setText } from './common.js';

const Shown = 600;   // a minute
const sensors = [
  { key: 'boiler', title: 'Boiler', unit: '°C', digits: 1, colour: '--accent' },
  { key: 'pump', title: 'Pump vibration', unit: 'mm/s', digits: 2, colour: '--string' },
  { key: 'cpu', title: 'CPU of this server', unit: '%', digits: 1, colour: '--keyword', from: 0 },
  { key: 'heap', title: 'Managed memory', unit: 'MiB', digits: 1, colour: '--type', from: 0 },
];
const times = [];
const colourOf = name => {
  // A canvas knows no light-dark(): let the browser work it out.
  const probe = element('i');
  probe.style.color = `var(${name})`;
  probe.hidden = true;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
};

for (const sensor of sensors) {
  const figure = element('figure');
  const caption = element('figcaption', sensor.title);
  sensor.output = element('output', '–');
  caption.append(sensor.output);
  const holder = element('div', undefined, 'plot');
  holder.setAttribute('aria-hidden', 'true');
  figure.append(caption, holder);
  byId('plots').append(figure);
  sensor.values = [];
  const axis = { stroke: () => sensor.soft, font: '11px system-ui, sans-serif', grid: { stroke: () => sensor.line, width: 1 }, ticks: { show: false } };
  sensor.paint = () => {
    sensor.ink = colourOf(sensor.colour);
    sensor.soft = colourOf('--soft');
    sensor.line = colourOf('--line');
    sensor.plot?.redraw();
  };
  sensor.paint();
  sensor.plot = new uPlot({
    width: holder.clientWidth, height: holder.clientHeight, legend: { show: false }, cursor: { show: false },
    scales: { y: { range: (_, low, high) => low === null ? [0, 1] : [sensor.from ?? low - (high - low || 1) * 0.15, high + (high - (sensor.from ?? low) || 1) * 0.15] } },
    axes: [{ ...axis, size: 24, space: 70, values: (_, ticks) => ticks.map(at => new Date(at * 1000).toLocaleTimeString([], { minute: '2-digit', second: '2-digit' })) }, { ...axis, size: 38, space: 26 }],
    series: [{}, { stroke: () => sensor.ink, width: 1.5, points: { show: false } }],
  }, [times, sensor.values], holder);
  new ResizeObserver(() => sensor.plot.setSize({ width: holder.clientWidth, height: holder.clientHeight })).observe(holder);
}
addEventListener('themechange', () => sensors.forEach(sensor => sensor.paint()));

let source, last = 0, lastEventId = '', replayUntil = 0, replayed = 0, missing = 0, isStale = false;
function open() {
  source = new EventSource(`/sensors/live?lastEventId=${lastEventId}`);
  source.onopen = () => setState('live', 'live');
  source.onerror = () => setState('lost, coming back');
  source.onmessage = event => {
    lastEventId = event.lastEventId;
    const reading = JSON.parse(event.data);
    if (reading.number < last) { times.length = 0; sensors.forEach(sensor => { sensor.values.length = 0; }); last = 0; }   // another run of the server
    if (last) missing += reading.number - last - 1;
    if (reading.at < replayUntil) setText('replayed', ++replayed);
    last = reading.number;
    times.push(reading.at / 1000);
    if (times.length > Shown) times.shift();
    for (const sensor of sensors) {
      sensor.values.push(reading[sensor.key]);
      if (sensor.values.length > Shown) sensor.values.shift();
      sensor.latest = reading[sensor.key];
    }
    isStale = true;
  };
  closeWithPage(source);
}

// As often as there is something to see, not as often as something comes.
(function draw() {
  requestAnimationFrame(draw);
  if (!isStale) return;
  isStale = false;
  setText('number', last);
  setText('missing', missing);
  for (const sensor of sensors) {
    sensor.plot.setData([times, sensor.values]);
    sensor.output.textContent = `${sensor.latest.toFixed(sensor.digits)} ${sensor.unit}`;
  }
})();

const button = byId('pause');
button.addEventListener('click', () => {
  const isPaused = button.getAttribute('aria-pressed') === 'false';
  button.setAttribute('aria-pressed', String(isPaused));
  button.textContent = isPaused ? 'Go on' : 'Pause';
  if (isPaused) {
    source.close();
    setState('paused', 'off');
  } else {
    replayed = 0;
    replayUntil = Date.now() - 150;   // older than what comes live
    open();
  }
});
open();
