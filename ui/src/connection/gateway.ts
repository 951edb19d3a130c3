// The gateway as the rest of the page knows it: whether it is there, what it serves, calls and events.
// Comes back by itself after a lost connection. The token is in this tab's session storage and nowhere else.

import { computed, signal } from "@preact/signals";
import { Gone, Refused, type Hello } from "./frames";
import { Link } from "./link";

export type Phase = "out" | "connecting" | "open" | "waiting";

const TOKEN = "gateway-token";
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 10_000;

export const phase = signal<Phase>("out");
export const hello = signal<Hello | null>(null);
/** What is wrong, in a sentence for the person at the page. */
export const trouble = signal("");

const methods = computed(() => new Set(hello.value?.features.methods ?? []));
const scopes = computed(() => new Set(hello.value?.auth.scopes ?? []));

let link: Link | null = null;
let waitMs = FIRST_WAIT_MS;
let again = 0;
const onOpen: (() => void)[] = [];
const onEvent = new Map<string, ((payload: never) => void)[]>();

export const address = (() => {
  const here = new URL(location.href);
  const folder = here.pathname.replace(/[^/]*$/, "");
  return { http: here.origin + folder.replace(/\/$/, ""), ws: here.origin.replace(/^http/, "ws") + folder };
})();

export function serves(method: string): boolean {
  return methods.value.has(method);
}

export function may(scope: "read" | "write" | "admin" | "approvals"): boolean {
  const mine = scopes.value;
  if (mine.has("operator.admin") || mine.has(`operator.${scope}`)) return true;
  return scope === "read" && mine.has("operator.write");
}

/** Raises Refused, or Gone when there is no connection. */
export function call<T>(method: string, params: unknown = {}): Promise<T> {
  if (!link || phase.value !== "open") return Promise.reject(new Gone());
  return link.call(method, params) as Promise<T>;
}

/** Whenever a connection has been made: also after one was lost. */
export function whenOpen(act: () => void): void {
  onOpen.push(act);
}

export function when<T>(event: string, act: (payload: T) => void): void {
  const known = onEvent.get(event) ?? [];
  onEvent.set(event, [...known, act as (payload: never) => void]);
}

export function token(): string {
  return sessionStorage.getItem(TOKEN) ?? "";
}

export function signIn(secret: string): void {
  sessionStorage.setItem(TOKEN, secret);
  waitMs = FIRST_WAIT_MS;
  connect();
}

export function signOut(why = ""): void {
  sessionStorage.removeItem(TOKEN);
  clearTimeout(again);
  const old = link;
  link = null;
  old?.close();
  hello.value = null;
  trouble.value = why;
  phase.value = "out";
}

/** At the page's start: whoever was signed in in this tab, is. */
export function resume(): void {
  if (sessionStorage.getItem(TOKEN) !== null) connect();
  addEventListener("online", hurry);
  document.addEventListener("visibilitychange", () => document.hidden || hurry());
}

function hurry(): void {
  if (phase.value === "waiting") connect();
}

function connect(): void {
  clearTimeout(again);
  phase.value = "connecting";
  const mine = new Link(address.ws, token(), {
    event: (name, payload) => {
      for (const act of onEvent.get(name) ?? []) act(payload as never);
    },
    ended: (refusal, reason) => {
      if (link === mine) ended(refusal, reason);
    },
  });
  link = mine;
  mine.opened.then(
    (greeting) => {
      if (link !== mine) return;
      waitMs = FIRST_WAIT_MS;
      hello.value = greeting;
      trouble.value = "";
      phase.value = "open";
      for (const act of onOpen) act();
    },
    () => undefined, // `ended` tells of it
  );
}

function ended(refusal: Refused | null, reason: string): void {
  link = null;
  if (refusal && !refusal.retryable) {
    signOut(inWords(refusal));
    return;
  }
  if (reason.startsWith("the secret has changed")) {
    signOut("The gateway has another token now. Sign in with that one.");
    return;
  }
  trouble.value = refusal?.message ?? "";
  phase.value = "waiting";
  again = setTimeout(connect, waitMs);
  waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
}

function inWords(refusal: Refused): string {
  if (refusal.detail.endsWith("_MISSING")) return "This gateway asks for its token.";
  if (refusal.detail.endsWith("_MISMATCH")) return "That is not this gateway's token.";
  return refusal.message;
}
