// The frames of the control protocol, version 4, as far as this page reads them.

export interface Hello {
  server: { version: string; connId: string };
  features: { methods: string[]; events: string[] };
  snapshot: {
    sessionDefaults: { defaultAgentId: string; mainSessionKey: string };
    authMode: string;
  };
  auth: { scopes: string[] };
  policy: { maxPayload: number; tickIntervalMs: number };
}

export interface ErrorShape {
  code: string;
  message: string;
  details?: Record<string, unknown>;
  retryable?: boolean;
  retryAfterMs?: number;
}

export type Frame =
  | { type: "event"; event: string; payload?: unknown; seq?: number }
  | { type: "res"; id: string; ok: boolean; payload?: unknown; error?: ErrorShape };

/** What the gateway answered to a call, when that was no. */
export class Refused extends Error {
  readonly code: string;
  readonly detail: string;
  readonly retryable: boolean;

  constructor(shape: ErrorShape) {
    super(shape.message);
    this.code = shape.code;
    this.detail = String(shape.details?.["code"] ?? "");
    this.retryable = shape.retryable ?? false;
  }
}

/** The connection ended before there was an answer. */
export class Gone extends Error {
  constructor() {
    super("The connection to the gateway was lost.");
  }
}
