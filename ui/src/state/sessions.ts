// The list of sessions: newest first, looked through by their names, kept up to date by the gateway's events.

import { signal } from "@preact/signals";
import { call, may, phase, serves, when, whenOpen } from "../connection/gateway";

export interface Session {
  key: string;
  agentId: string;
  displayName: string;
  label?: string;
  updatedAt: number;
  createdAt: number;
  totalTokens: number;
  status: string;
  hasActiveRun?: boolean;
  /** Whose copy it is. */
  parentSessionKey?: string;
}

export interface Changed {
  sessionKey: string;
  agentId: string;
  runId: string;
  phase: "start" | "end";
}

const PAGE = 100;
const GATHER_MS = 250;
const TITLE = 48;

export const sessions = signal<Session[]>([]);
export const total = signal(0);
export const query = signal("");
export const listed = signal(false);

/** All that were listed, also those that are not among what is looked for now: their names are still theirs. */
const seen = signal<ReadonlyMap<string, Session>>(new Map());

function keep(some: Session[], beside: ReadonlyMap<string, Session>): void {
  seen.value = new Map([...beside, ...some.map((session): [string, Session] => [session.key, session])]);
}

let limit = PAGE;
let due = 0;
let asked = 0;

export async function loadSessions(): Promise<void> {
  if (!may("read")) return;
  const mine = ++asked;
  const search = query.value.trim();
  const told = await call<{ sessions: Session[]; totalCount: number }>("sessions.list", {
    limit,
    ...(search ? { search } : {}),
  });
  if (mine !== asked) return; // a newer question has been asked meanwhile
  sessions.value = told.sessions;
  const isAll = !search && told.sessions.length >= told.totalCount;
  keep(told.sessions, isAll ? new Map() : seen.value);
  total.value = told.totalCount;
  listed.value = true;
}

export interface Hit {
  sessionKey: string;
  messageId: string;
  role: "user" | "assistant";
  timestamp: number;
  snippet: string;
}

/** Messages that hold the words which are looked for. */
export const hits = signal<Hit[]>([]);

async function lookInside(): Promise<void> {
  const words = query.value.trim();
  if (words.length < 3 || !serves("sessions.search")) {
    hits.value = [];
    return;
  }
  const told = await call<{ results: Hit[] }>("sessions.search", { query: words, limit: 12 });
  if (query.value.trim() !== words) return;
  hits.value = told.results;
  const unknown = new Set(told.results.map((hit) => hit.sessionKey).filter((key) => !seen.value.has(key)));
  for (const key of unknown) {
    const { session } = await call<{ session: Session | null }>("sessions.describe", { key });
    if (session) keep([session], seen.value);
  }
}

/** Soon: news that come together are asked about once. */
export function refresh(): void {
  clearTimeout(due);
  due = setTimeout(() => {
    if (phase.value !== "open") return;
    void loadSessions().catch(() => undefined);
    void lookInside().catch(() => undefined);
  }, GATHER_MS);
}

export function more(): void {
  limit += PAGE;
  refresh();
}

export function search(text: string): void {
  query.value = text;
  limit = PAGE;
  refresh();
}

export function titleOf(key: string): string {
  const known = seen.value.get(key);
  if (known?.label) return known.label;
  const name = key.split(":").slice(2).join(":");
  return begunHere.has(key) || isUnnamed(key) ? "New conversation" : (known?.displayName ?? name);
}

/** A session is made by its first message, which names it. */
export const begunHere = new Set<string>();
const named = new Set<string>();

/** Made by a "New chat" that has not come to name it: the page was loaded again meanwhile. A copy is named else. */
export function isUnnamed(key: string): boolean {
  const known = seen.value.get(key);
  return !!known && !known.label && !known.parentSessionKey && !named.has(key) && /:chat-[0-9a-f]{12}$/.test(key);
}

export async function nameBy(key: string, question: string): Promise<void> {
  if (!(begunHere.has(key) || isUnnamed(key)) || seen.value.get(key)?.label) return;
  begunHere.delete(key);
  named.add(key);
  const line = question.trim().split("\n")[0] ?? "";
  const label = line.length <= TITLE ? line : `${line.slice(0, TITLE).replace(/\s+\S*$/, "")}…`;
  if (label) await rename(key, label);
}

/** A copy that goes on from before a question; it has the name of the first with a number behind. */
export async function fork(key: string, entryId: string): Promise<Fork> {
  const made = await call<Fork>("sessions.fork", { sessionKey: key, ...(entryId ? { entryId } : {}) });
  const base = titleOf(key).replace(/ \(\d+\)$/, "");
  const others = [...seen.value.values()].filter((session) => session.displayName.replace(/ \(\d+\)$/, "") === base);
  await call("sessions.patch", { key: made.sessionKey, label: `${base} (${others.length + 1})` }).catch(() => undefined);
  refresh();
  return made;
}

export interface Fork {
  sessionKey: string;
  editorText?: string;
  editorAttachments?: { mimeType: string; data: string }[];
}

export function copiesOf(key: string): Session[] {
  return [...seen.value.values()].filter((session) => session.parentSessionKey === key);
}

export function parentOf(key: string): string {
  return seen.value.get(key)?.parentSessionKey ?? "";
}

export async function rename(key: string, label: string): Promise<void> {
  await call("sessions.patch", { key, label: label.trim() || null });
  refresh();
}

export async function remove(key: string): Promise<void> {
  await call("sessions.delete", { key });
  seen.value = new Map([...seen.value].filter(([each]) => each !== key));
  refresh();
}

export async function beginAnew(key: string): Promise<void> {
  await call("sessions.reset", { key });
  refresh();
}

whenOpen(() => {
  void loadSessions().catch(() => undefined);
  void call("sessions.subscribe").catch(() => undefined);
});
when<Changed>("sessions.changed", refresh);
