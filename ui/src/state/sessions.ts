// The list of sessions: newest first, looked through by their names, kept up to date by the gateway's events.

import { signal } from "@preact/signals";
import { call, may, phase, when, whenOpen } from "../connection/gateway";

export interface Session {
  key: string;
  agentId: string;
  displayName: string;
  label?: string;
  updatedAt: number;
  createdAt: number;
  totalTokens: number;
  status: string;
  activeRunId?: string;
}

export interface Changed {
  sessionKey: string;
  agentId: string;
  runId: string;
  phase: "start" | "end";
}

const PAGE = 100;
const GATHER_MS = 250;

export const sessions = signal<Session[]>([]);
export const total = signal(0);
export const query = signal("");
export const listed = signal(false);

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
  total.value = told.totalCount;
  listed.value = true;
}

/** Soon: news that come together are asked about once. */
export function refresh(): void {
  clearTimeout(due);
  due = setTimeout(() => {
    if (phase.value === "open") void loadSessions().catch(() => undefined);
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
  const known = sessions.value.find((session) => session.key === key);
  return known?.displayName ?? key.split(":").slice(2).join(":");
}

export async function rename(key: string, label: string): Promise<void> {
  await call("sessions.patch", { key, label: label.trim() || null });
  refresh();
}

export async function remove(key: string): Promise<void> {
  await call("sessions.delete", { key });
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
