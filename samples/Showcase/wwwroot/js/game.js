import { Connection, byId, setState, setText } from './common.js';

const canvas = byId('field');
const pen = canvas.getContext('2d');
const hues = [172, 292, 28, 200, 4, 76, 240, 330];
let me = -1, keys = 0, number = 0, frame = null, latency = null;
const sentAt = new Map();
let frames = [], colours;

const readColours = () => {
  const style = getComputedStyle(document.documentElement);
  const isDark = style.colorScheme === 'dark' || (style.colorScheme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  colours = { isDark, ink: isDark ? '#e6ebea' : '#1b2224', coin: isDark ? '#f2cf63' : '#c08a00' };
};
readColours();
addEventListener('themechange', readColours);

const connection = new Connection('/game/live', {
  open() { setState('live', 'live'); keys = 0; },
  message(data) {
    const view = new DataView(data);
    if (data.byteLength === 1) { me = view.getUint8(0); return; }
    frame = read(view);
    const now = performance.now();
    frames.push(now);
    while (frames[0] < now - 2000) frames.shift();
    for (const [sent, at] of sentAt) {
      if (sent > (frame.players.find(player => player.id === me)?.input ?? 0)) continue;
      latency = latency === null ? now - at : latency * 0.8 + (now - at) * 0.2;
      sentAt.delete(sent);
    }
    setBytes(data.byteLength);
  },
  close(event) {
    setState(event.code === 4409 ? event.reason : 'lost, coming back');
    sentAt.clear();
  },
});

let bytes = 0;
const setBytes = length => { bytes = length; };

// Little-endian, as World.cs writes it.
function read(view) {
  const players = [];
  for (let i = 0, at = 10; i < view.getUint8(9); i++, at += 12)
    players.push({ id: view.getUint8(at), x: view.getUint16(at + 2, true), y: view.getUint16(at + 4, true), score: view.getUint16(at + 6, true), input: view.getUint32(at + 8, true) });
  return { step: view.getUint32(0, true), coin: { x: view.getUint16(4, true), y: view.getUint16(6, true) }, players };
}

function press(key, isDown) {
  const next = isDown ? keys | key : keys & ~key;
  if (next === keys) return;
  keys = next;
  send();
}

function send() {
  if (!connection.isOpen) return;
  const input = new DataView(new ArrayBuffer(5));
  input.setUint32(0, ++number, true);
  input.setUint8(4, keys);
  sentAt.set(number, performance.now());
  if (sentAt.size > 100) sentAt.clear();
  connection.send(input.buffer);
}

const keyOf = { ArrowLeft: 1, ArrowRight: 2, ArrowUp: 4, ArrowDown: 8, KeyA: 1, KeyD: 2, KeyW: 4, KeyS: 8 };
for (const [type, isDown] of [['keydown', true], ['keyup', false]])
  addEventListener(type, event => {
    const key = keyOf[event.code];
    if (!key || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    press(key, isDown);
  });
addEventListener('blur', () => { keys = 0; send(); });
for (const button of document.querySelectorAll('[data-key]')) {
  const key = Number(button.dataset.key);
  button.addEventListener('pointerdown', event => { button.setPointerCapture(event.pointerId); press(key, true); });
  for (const type of ['pointerup', 'pointercancel', 'lostpointercapture']) button.addEventListener(type, () => press(key, false));
  button.addEventListener('contextmenu', event => event.preventDefault());
}
setInterval(send, 500);   // so that there is a latency to show while nobody moves

function draw() {
  requestAnimationFrame(draw);
  if (!frame) return;
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = colours.coin;
  pen.beginPath();
  pen.arc(frame.coin.x, frame.coin.y, 11, 0, 7);
  pen.fill();
  pen.font = '600 20px system-ui, sans-serif';
  pen.textAlign = 'center';
  for (const { id, x, y, score } of frame.players) {
    pen.fillStyle = `hsl(${hues[id % hues.length]} 62% ${colours.isDark ? 62 : 38}%)`;
    pen.beginPath();
    pen.arc(x, y, 16, 0, 7);
    pen.fill();
    pen.fillStyle = colours.ink;
    pen.fillText(score, x, y < 44 ? y + 42 : y - 26);
    if (id !== me) continue;
    pen.strokeStyle = colours.ink;
    pen.lineWidth = 3;
    pen.beginPath();
    pen.arc(x, y, 21, 0, 7);
    pen.stroke();
  }
}
draw();

setInterval(() => {
  if (!frame) return;
  setText('latency', latency === null ? '–' : latency.toFixed(1));
  setText('rate', frames.length > 1 ? ((frames.length - 1) / (frames.at(-1) - frames[0]) * 1000).toFixed(0) : '–');
  setText('bytes', bytes);
  setText('players', frame.players.length);
  setText('score', frame.players.find(player => player.id === me)?.score ?? 0);
}, 250);
