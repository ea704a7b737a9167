// The live connection: one WebSocket of loggia.v1, requests with their answers, reconnect with resume. It holds no state of the chat;
// the page gives it positions and takes frames.
import type {Frame, Hello, Problem} from './types';

export class LiveError extends Error {
  constructor(readonly problem: Problem) { super(problem.detail); }
}

export interface LiveHost {
  token(force: boolean): Promise<string>;                    // a good one, a new one with `force`; rejects when there is none to be had
  resume(): {epoch: string; cursor?: string; rooms?: Record<string, number>} | undefined;
  hello(hello: Hello, resumed: boolean): void;
  frame(frame: Frame): void;
  state(state: LiveState): void;
  ended(): void;                                             // signed out: no reconnect
}
export type LiveState = 'off' | 'connecting' | 'open' | 'waiting';

interface Waiting { resolve(value: any): void; reject(problem: LiveError): void }

const lost = (): LiveError => new LiveError({code: 'offline', detail: 'The connection was lost.', retry: true});

/** The pause before the n-th try: doubling from half a second to 15 s, half of it by chance, so that clients do not come back together. */
export const pause = (tries: number, chance: number): number => Math.min(15000, 500 * 2 ** tries) * (0.5 + chance / 2);

/** How long to wait after a close. 1001 names its own time; what says that we are too many or wrong is not asked again at once. */
export function delayAfter(code: number | undefined, within: number | undefined, tries: number, chance: number): number {
  if (code === 1001) return chance * (within ?? 5) * 1000;
  if (code === 4003) return tries ? pause(tries, chance) : 0;
  return pause(code === 4000 || code === 4029 ? Math.max(4, tries) : tries, chance);
}

export class Live {
  private socket: WebSocket | undefined;
  private next = 0;
  private waiting = new Map<number, Waiting>();
  private tries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private within: number | undefined;
  private heard = 0;
  private heartbeat = 25;
  private watch: ReturnType<typeof setInterval> | undefined;
  private stopped = true;
  private ready = false;
  private refused = false;      // the server did not take the token: the next one must be new

  constructor(private host: LiveHost) {}

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.tries = 0;
    addEventListener('online', this.now);
    document.addEventListener('visibilitychange', this.now);
    void this.connect();
  }
  stop(): void {
    this.stopped = true;
    removeEventListener('online', this.now);
    document.removeEventListener('visibilitychange', this.now);
    clearTimeout(this.timer);
    this.socket?.close(1000);
    this.drop();
    this.host.state('off');
  }
  /** Try at once, where it waits. */
  now = (): void => {
    if (this.stopped || this.socket || document.visibilityState === 'hidden') return;
    clearTimeout(this.timer);
    void this.connect();
  };
  get open(): boolean { return this.ready; }

  private async connect(): Promise<void> {
    this.host.state('connecting');
    let token: string;
    try { token = await this.host.token(this.refused); } catch { return this.stopped ? undefined : this.later(); }
    this.refused = false;
    if (this.stopped || this.socket) return;
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/realtime`, 'loggia.v1');
    this.socket = socket;
    socket.onopen = () => {
      const resume = this.host.resume();
      this.request('hello', {token, client: 'web', ...(resume ? {resume} : {})}).then((hello: Hello) => {
        this.tries = 0;
        this.ready = true;
        this.heartbeat = hello.heartbeat || 25;
        this.host.hello(hello, resume !== undefined);
        this.host.state('open');
      }, () => socket.close(1000));
    };
    socket.onmessage = event => this.take(JSON.parse(event.data));
    socket.onclose = event => this.closed(socket, event.code);
    this.heard = Date.now();
    clearInterval(this.watch);
    // Browsers do not tell of pings: a request of our own shows whether anybody is there.
    this.watch = setInterval(() => {
      if (Date.now() - this.heard > this.heartbeat * 3000) socket.close();
      else if (Date.now() - this.heard > this.heartbeat * 1000 && this.ready) this.request('ping', {}).catch(() => {});
    }, 10000);
  }

  private take(frame: any): void {
    this.heard = Date.now();
    if (frame.re !== undefined) {
      const waiting = this.waiting.get(frame.re);
      this.waiting.delete(frame.re);
      if (frame.error) waiting?.reject(new LiveError(frame.error)); else waiting?.resolve(frame.ok);
      return;
    }
    if (frame.ev === 'server.draining') this.within = frame.data.reconnect_within;
    this.host.frame(frame);
  }

  private closed(socket: WebSocket, code: number): void {
    if (this.socket !== socket) return;
    this.drop();
    if (this.stopped) return;
    this.refused = code === 4003;
    if (code === 4009) { this.stop(); return this.host.ended(); }
    this.later(code);
  }
  private drop(): void {
    this.socket = undefined;
    this.ready = false;
    clearInterval(this.watch);
    for (const waiting of this.waiting.values()) waiting.reject(lost());
    this.waiting.clear();
  }
  private later(code?: number): void {
    this.host.state('waiting');
    const delay = delayAfter(code, this.within, this.tries, Math.random());
    this.within = undefined;
    this.tries++;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.connect(), delay);
  }

  private request(op: string, fields: object): Promise<any> {
    if (!this.socket || this.socket.readyState !== WebSocket.OPEN) return Promise.reject(lost());
    const id = ++this.next;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, {resolve, reject});
      this.socket!.send(JSON.stringify({id, op, ...fields}));
    });
  }
  /** One request; rejects with LiveError, also when the connection goes before the answer comes. */
  ask<T = any>(op: string, fields: object = {}): Promise<T> {
    return this.ready ? this.request(op, fields) : Promise.reject(lost());
  }
}
