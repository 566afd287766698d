export const byId = id => document.getElementById(id);
export const setText = (id, text) => { byId(id).textContent = text; };

export function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** Says how a connection is: 'live', 'off' or, without a kind, neither. */
export function setState(text, kind = '', id = 'state') {
  const state = byId(id);
  if (state.textContent !== text) state.textContent = text;
  state.className = `state ${kind}`;
}

export const timeOf = date => date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** Puts a line on top of a list of a few. */
export function log(id, text, limit = 12) {
  const line = element('li');
  line.append(element('time', timeOf(new Date())), element('span', text));
  const list = byId(id);
  list.prepend(line);
  while (list.children.length > limit) list.lastElementChild.remove();
}

/**
 * A WebSocket that comes back: after half a second, then twice as long each time up to 10 s, half of it left to chance so that not
 * everybody comes at once.
 */
export class Connection {
  #url; #on; #socket; #timer; #failures = 0; #isWanted = true;

  /** @param on {{ open?(): void, message(data: string | ArrayBuffer): void, close?(event: CloseEvent): boolean | void }} close may return false: stay away. */
  constructor(url, on) {
    this.#url = url;
    this.#on = on;
    this.#connect();
    addEventListener('online', () => this.#soon(0));
    addEventListener('pagehide', () => this.close());
  }

  get isOpen() { return this.#socket.readyState === WebSocket.OPEN; }
  get bufferedAmount() { return this.#socket.bufferedAmount; }

  send(data) {
    if (this.isOpen) this.#socket.send(data);
  }

  close() {
    this.#isWanted = false;
    clearTimeout(this.#timer);
    this.#socket.close(1000);
  }

  #connect() {
    const socket = new WebSocket(new URL(typeof this.#url === 'function' ? this.#url() : this.#url, location.href.replace(/^http/, 'ws')));
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.#on.open?.();
    socket.onmessage = event => {
      this.#failures = 0;
      this.#on.message(event.data);
    };
    socket.onclose = event => {
      if (this.#on.close?.(event) === false) this.#isWanted = false;
      this.#soon(Math.min(10_000, 500 * 2 ** this.#failures++) * (0.5 + Math.random() / 2));
    };
  }

  #soon(delay) {
    clearTimeout(this.#timer);
    if (this.#isWanted && this.#socket.readyState === WebSocket.CLOSED)
      this.#timer = setTimeout(() => this.#connect(), delay);
  }
}

/** A page that goes into the browser's cache must not hold a connection. */
export const closeWithPage = source => addEventListener('pagehide', () => source.close());
