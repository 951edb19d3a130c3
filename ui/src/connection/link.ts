// One connection, from the socket's opening to its end: the handshake, calls with their answers, events.
// Knows no method but `connect`, and does not come back by itself: gateway.ts does.

import { Gone, Refused, type ErrorShape, type Frame, type Hello } from "./frames";

interface Waiting {
  resolve(payload: unknown): void;
  reject(error: Error): void;
}

export interface Ears {
  event(name: string, payload: unknown): void;
  /** Why it ended: what the gateway said at the door, or nothing. */
  ended(refusal: Refused | null, reason: string): void;
}

const CLIENT = { id: "openclaw-control-ui", mode: "ui", platform: "web" };
const SCOPES = ["operator.admin", "operator.read", "operator.write", "operator.approvals"];
const HANDSHAKE_MS = 15_000;

export class Link {
  readonly opened: Promise<Hello>;
  private readonly socket: WebSocket;
  private readonly waiting = new Map<string, Waiting>();
  private last = 0;
  private heardAt = Date.now();
  private silence = 0;
  private refusal: Refused | null = null;
  private over = false;

  constructor(
    address: string,
    token: string,
    private readonly ears: Ears,
  ) {
    this.socket = new WebSocket(address);
    this.opened = new Promise((resolve, reject) => {
      const late = setTimeout(() => this.socket.close(), HANDSHAKE_MS);
      const refused = (error: Error) => {
        clearTimeout(late);
        reject(error);
      };
      this.waiting.set("connect", {
        resolve: (payload) => {
          clearTimeout(late);
          const hello = payload as Hello;
          this.watch(hello.policy.tickIntervalMs);
          resolve(hello);
        },
        reject: refused,
      });
    });
    this.socket.onmessage = (message) => this.take(JSON.parse(String(message.data)) as Frame, token);
    this.socket.onclose = (closed) => this.end(closed.reason);
    this.socket.onerror = () => undefined;
  }

  call(method: string, params: unknown): Promise<unknown> {
    if (this.over || this.socket.readyState !== WebSocket.OPEN) return Promise.reject(new Gone());
    const id = String(++this.last);
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.send(id, method, params);
    });
  }

  close(): void {
    this.socket.close(1000);
    this.end("");
  }

  private send(id: string, method: string, params: unknown): void {
    this.socket.send(JSON.stringify({ type: "req", id, method, params }));
  }

  private take(frame: Frame, token: string): void {
    this.heardAt = Date.now();
    if (frame.type === "event") {
      if (frame.event === "connect.challenge") this.send("connect", "connect", greeting(token));
      else this.ears.event(frame.event, frame.payload);
      return;
    }
    const waiting = this.waiting.get(frame.id);
    if (!waiting) return;
    this.waiting.delete(frame.id);
    if (frame.ok) {
      waiting.resolve(frame.payload);
      return;
    }
    const refused = new Refused(frame.error ?? unsaid());
    if (frame.id === "connect") this.refusal = refused;
    waiting.reject(refused);
  }

  /** A gateway that is silent for longer than two of its ticks is gone, whatever the socket says. */
  private watch(tickMs: number): void {
    this.silence = setInterval(() => {
      if (Date.now() - this.heardAt > 2 * tickMs + 5_000) this.close();
    }, tickMs);
  }

  private end(reason: string): void {
    if (this.over) return;
    this.over = true;
    clearInterval(this.silence);
    for (const waiting of this.waiting.values()) waiting.reject(new Gone());
    this.waiting.clear();
    this.ears.ended(this.refusal, reason);
  }
}

function greeting(token: string): unknown {
  return {
    minProtocol: 4,
    maxProtocol: 4,
    client: { ...CLIENT, version: "1" },
    role: "operator",
    scopes: SCOPES,
    caps: [],
    ...(token ? { auth: { token, password: token } } : {}),
  };
}

function unsaid(): ErrorShape {
  return { code: "UNAVAILABLE", message: "The gateway refused, and did not say why." };
}
