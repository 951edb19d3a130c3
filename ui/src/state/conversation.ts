// The session that is open: what was said in it, what is being said, what is about to be.
//
// The gateway's history is the truth; a run under way lies over it until the history has its turn. Messages
// that this tab has sent are noted in its session storage, because a history has a question only with its
// answer: so a page that is loaded again in the middle of a run still shows what was asked.

import { batch, computed, effect, signal } from "@preact/signals";
import { call, may, phase, whenOpen } from "../connection/gateway";
import { defaultAgent } from "./agents";
import { ended, forget, isLive, known, of, runs, stop, tell, type Run } from "./runs";
import { textOf } from "./parts";
import { go, route } from "./route";
import { begunHere, fork, isUnnamed, nameBy, refresh, type Fork } from "./sessions";
import { entries, type Entry, type Message } from "./transcript";

export interface Attachment {
  fileName: string;
  mimeType: string;
  content: string;
}

export interface Pending {
  runId: string;
  session: string;
  text: string;
  at: number;
  images: number;
  error: string;
  /** For the run at work, and not to wait until that has ended. */
  steers?: boolean;
  /** The gateway has said that it has it. */
  isTaken?: boolean;
}

interface History {
  sessionKey: string;
  messages: Message[];
  totalMessages?: number;
  inputReceipts?: { runId: string; state: "pending" | "consumed" }[];
  inFlightRun?: { runId: string; text: string };
}

const FIRST = 200;
const PAGE = 500;
const NOTED = "gateway-pending";

export const open = signal("");
const messages = signal<Message[]>([]);
const count = signal(0);
export const pending = signal<Pending[]>(noted());
export const loading = signal(false);
export const problem = signal("");
/** What the person has typed and not sent, by session. */
export const drafts = new Map<string, string>();
export const attached = new Map<string, Attachment[]>();
/** The images of messages that this tab has sent and no history has yet; not kept when it is loaded again. */
export const brought = new Map<string, Attachment[]>();

/** The key of the session that is shown: of the address, else the default agent's main one. */
export const key = computed(() => {
  if (route.value.view === "chat" && route.value.of) return route.value.of;
  return defaultAgent.value ? `agent:${defaultAgent.value}:main` : "";
});
export const shown = computed<Entry[]>(() => entries(messages.value, count.value - messages.value.length));
export const earlier = computed(() => count.value - messages.value.length);
export const live = computed<Run[]>(() => (runs.value.size ? of(open.value) : []));
export const waiting = computed<Pending[]>(() => pending.value.filter((each) => each.session === open.value));
export const busy = computed<Run | undefined>(() => live.value.find(isLive));
export const raw = computed(() => messages.value);

let asked = 0;
/** What the gateway has not answered to yet. */
const sending = new Set<string>();

export async function show(session: string): Promise<void> {
  if (session !== open.value) {
    batch(() => {
      open.value = session;
      messages.value = [];
      count.value = 0;
      problem.value = "";
    });
  }
  await load(FIRST);
}

export async function load(limit: number): Promise<void> {
  const session = open.value;
  if (!session || phase.value !== "open") return;
  const mine = ++asked;
  loading.value = true;
  try {
    const mineOnes = pending.value.filter((each) => each.session === session && !each.error).map((each) => each.runId);
    const told = await call<History>("chat.history", {
      sessionKey: session,
      limit,
      ...(mineOnes.length ? { inputRunIds: mineOnes.slice(-50) } : {}),
    });
    if (mine !== asked) return;
    batch(() => {
      const total = told.totalMessages ?? told.messages.length;
      messages.value = joined(messages.value, count.value, told.messages, total);
      count.value = total;
      problem.value = "";
      if (told.inFlightRun) known(told.inFlightRun.runId, { session });
      settle(session, mineOnes, told.inputReceipts ?? []);
    });
  } catch (error) {
    if (mine === asked) problem.value = (error as Error).message;
  } finally {
    if (mine === asked) loading.value = false;
  }
}

/** A page of what was said before what is shown. */
export async function loadEarlier(): Promise<void> {
  const session = open.value;
  const mine = ++asked;
  const had = messages.value;
  loading.value = true;
  try {
    const told = await call<History>("chat.history", { sessionKey: session, limit: PAGE, offset: had.length });
    if (mine !== asked) return;
    if (told.totalMessages === count.value) messages.value = [...told.messages, ...had];
    else void load(FIRST); // something was said meanwhile: what is shown is no more the end
  } catch (error) {
    if (mine === asked) problem.value = (error as Error).message;
  } finally {
    if (mine === asked) loading.value = false;
  }
}

/** The newest messages after those that are shown already, as far as they are the same conversation. */
function joined(old: Message[], oldTotal: number, told: Message[], total: number): Message[] {
  const kept = total - told.length - (oldTotal - old.length);
  if (kept <= 0 || kept > old.length || total < oldTotal) return told;
  const meets = old[kept]?.__openclaw?.id;
  return meets === undefined || meets === told[0]?.__openclaw?.id ? [...old.slice(0, kept), ...told] : told;
}

/** To the session that the person has before him: what is shown may be a moment behind the address. `steers`: the
 * run at work hears of it before its next step; where there is no further one, it has its turn as any other. */
export async function send(session: string, text: string, attachments: Attachment[] = [], steers = false): Promise<void> {
  const runId = crypto.randomUUID();
  if (attachments.length) brought.set(runId, attachments);
  note({ runId, session, text, at: Date.now(), images: attachments.length, error: "", steers });
  known(runId, { session });
  sending.add(runId);
  try {
    await call("chat.send", {
      sessionKey: session,
      message: text,
      idempotencyKey: runId,
      ...(steers ? { queueMode: "steer" } : {}),
      ...(attachments.length ? { attachments } : {}),
    });
    save(pending.value.map((each) => (each.runId === runId ? { ...each, isTaken: true } : each)));
    refresh();
  } catch (error) {
    forget([runId]);
    failed(runId, (error as Error).message);
  } finally {
    sending.delete(runId);
  }
}

/** The conversation goes on in a copy from before this question, which is there to be changed. */
export async function edit(entry: Entry): Promise<void> {
  const made = await fork(open.value, entry.id);
  drafts.set(made.sessionKey, made.editorText ?? "");
  attached.set(made.sessionKey, images(made));
  go("chat", made.sessionKey);
  requestAnimationFrame(() => document.getElementById("message")?.focus());
}

/** The same question is asked once more, in a copy: what was answered first stays. */
export async function answerAgain(entry: Entry): Promise<void> {
  const question = shown.value.findLast((each) => each.who === "user" && each.at < entry.at);
  if (!question) return;
  const made = await fork(open.value, question.id);
  go("chat", made.sessionKey);
  await show(made.sessionKey);
  await send(made.sessionKey, made.editorText ?? "", images(made));
}

function images(made: Fork): Attachment[] {
  return (made.editorAttachments ?? []).map(({ mimeType, data }, number) => ({
    fileName: `image-${number + 1}`,
    mimeType,
    content: data,
  }));
}

export async function stopAll(): Promise<void> {
  await Promise.all(live.value.filter(isLive).map(stop));
}

export function dismiss(runId: string): void {
  save(pending.value.filter((each) => each.runId !== runId));
  forget([runId]);
}

export function place(run: Run): number {
  const before = live.value.filter(isLive);
  return run.stage === "queued" ? Math.max(0, before.indexOf(run)) : 0;
}

/** The history has come: what it tells of need not be shown twice. `asked` are the messages it was asked about. */
function settle(session: string, askedOf: string[], receipts: { runId: string; state: string }[]): void {
  const over = of(session).filter((run) => !isLive(run));
  tell(over.filter((run) => run.stage !== "failed").map((run) => run.id));
  const states = new Map(receipts.map((receipt) => [receipt.runId, receipt.state]));
  const kept = pending.value.flatMap((each) => {
    if (!askedOf.includes(each.runId) || each.error || sending.has(each.runId)) return [each];
    const state = states.get(each.runId);
    if (state === "consumed") return [];
    const run = runs.value.get(each.runId);
    if (state === "pending" || (run && isLive(run))) return [each];
    return [{ ...each, error: "The gateway has not got this message." }];
  });
  save(kept);
}

function failed(runId: string, error: string): void {
  save(pending.value.map((each) => (each.runId === runId ? { ...each, error } : each)));
}

function note(message: Pending): void {
  save([...pending.value.filter((each) => !each.error || each.session !== message.session), message]);
}

function save(all: Pending[]): void {
  pending.value = all;
  for (const runId of brought.keys()) if (!all.some((each) => each.runId === runId)) brought.delete(runId);
  sessionStorage.setItem(NOTED, JSON.stringify(all));
}

function noted(): Pending[] {
  try {
    return JSON.parse(sessionStorage.getItem(NOTED) ?? "[]") as Pending[];
  } catch {
    return [];
  }
}

ended((run) => {
  const question = pending.value.find((each) => each.runId === run.id);
  if (question && run.stage === "done" && begunHere.has(run.session)) void nameBy(run.session, question.text).catch(() => undefined);
  if (run.stage === "failed") failed(run.id, run.error || "The run failed.");
  if (run.session === open.value) void load(FIRST);
  refresh();
});
/** What a tab has begun and not seen answered is named by whoever looks at it next. */
effect(() => {
  const first = messages.value.length && earlier.value === 0 ? shown.value.find((each) => each.who === "user") : undefined;
  if (!first || phase.value !== "open" || !isUnnamed(open.value) || !may("write")) return;
  void nameBy(open.value, textOf(first.parts)).catch(() => undefined);
});
whenOpen(() => {
  if (open.value) void load(FIRST);
});
