// The runs under way, from the gateway's events: what each has said and done so far, how fast, for whom.
// A run's events are told anew from its beginning after a lost connection, so all is begun anew then.

import { batch, signal, type Signal } from "@preact/signals";
import { call, when, whenOpen } from "../connection/gateway";
import { add, tool, type Part } from "./parts";
import type { Changed } from "./sessions";

export type Stage = "queued" | "working" | "done" | "aborted" | "failed";

export interface Run {
  id: string;
  session: string;
  agent: string;
  door: string;
  model: string;
  stage: Stage;
  parts: Part[];
  /** Unix ms; 0 = not yet. */
  startedAt: number;
  firstAt: number;
  endedAt: number;
  /** Characters said, thoughts too. */
  said: number;
  tokens: number;
  input: number;
  error: string;
  /** The session's history has it. */
  told: boolean;
  changed: Signal<number>;
}

interface AgentEvent {
  runId: string;
  stream: string;
  ts: number;
  data: Record<string, unknown>;
}

interface ChatEvent {
  runId: string;
  sessionKey: string;
  state: "delta" | "final" | "aborted" | "error";
  usage?: { input?: number; output?: number; cacheRead?: number };
  errorMessage?: string;
}

interface Row {
  runId: string;
  sessionKey: string | null;
  agentId: string;
  door: string;
  startedAt: number;
}

const KEPT = 50;

/** By their ids, in the order in which they were heard of. */
export const runs = signal<ReadonlyMap<string, Run>>(new Map());
const whenEnded: ((run: Run) => void)[] = [];
const dirty = new Set<Run>();
let asking = 0;

export function ended(act: (run: Run) => void): void {
  whenEnded.push(act);
}

export function isLive(run: Run): boolean {
  return run.stage === "queued" || run.stage === "working";
}

/** Of a session, those that its history does not tell of yet. */
export function of(session: string): Run[] {
  return [...runs.value.values()].filter((run) => run.session === session && !run.told);
}

export function tell(ids: Iterable<string>): void {
  for (const id of ids) {
    const run = runs.value.get(id);
    if (run) run.told = true;
  }
  runs.value = new Map(runs.value);
}

export function forget(ids: Iterable<string>): void {
  const left = new Map(runs.value);
  for (const id of ids) left.delete(id);
  runs.value = left;
}

export function known(id: string, more: Partial<Pick<Run, "session" | "agent" | "door">> = {}): Run {
  const found = runs.value.get(id);
  if (found) {
    if (Object.entries(more).some(([name, value]) => found[name as "session"] !== value)) {
      Object.assign(found, more);
      runs.value = new Map(runs.value);
    }
    return found;
  }
  const run: Run = {
    id,
    session: "",
    agent: "",
    door: "",
    model: "",
    stage: "queued",
    parts: [],
    startedAt: 0,
    firstAt: 0,
    endedAt: 0,
    said: 0,
    tokens: 0,
    input: 0,
    error: "",
    told: false,
    changed: signal(0),
    ...more,
  };
  const all = new Map(runs.value).set(id, run);
  const over = [...all.values()].filter((each) => !isLive(each));
  for (const old of over.slice(0, Math.max(0, over.length - KEPT))) all.delete(old.id);
  runs.value = all;
  return run;
}

export async function stop(run: Run): Promise<void> {
  await call("chat.abort", { runId: run.id, ...(run.session ? { sessionKey: run.session } : {}) });
}

/** Tokens a second since the first word; a quarter of the characters as long as nobody has counted. */
export function pace(run: Run, now: number): number {
  const seconds = ((run.endedAt || now) - run.firstAt) / 1000;
  if (!run.firstAt || seconds < 0.05) return 0;
  return (run.tokens || run.said / 4) / seconds;
}

function note(run: Run): void {
  if (dirty.size === 0) requestFrame(flush);
  dirty.add(run);
}

function flush(): void {
  const all = [...dirty];
  dirty.clear();
  batch(() => {
    for (const run of all) run.changed.value += 1;
  });
}

/** Also in a tab that is not looked at, where there are no frames. */
function requestFrame(act: () => void): void {
  if (document.hidden) setTimeout(act, 100);
  else requestAnimationFrame(act);
}

function heard({ runId, stream, ts, data }: AgentEvent): void {
  const run = known(runId);
  if (!run.agent) askWhose();
  if (stream === "assistant" || stream === "thinking") {
    const delta = String(data["delta"] ?? "");
    add(run.parts, stream === "assistant" ? "text" : "thinking", delta);
    run.said += delta.length;
    run.firstAt ||= ts;
    run.stage = "working";
  } else if (stream === "tool") {
    toolHeard(run, data);
  } else if (stream === "lifecycle") {
    lifeHeard(run, ts, data);
  }
  note(run);
}

function toolHeard(run: Run, data: Record<string, unknown>): void {
  const id = String(data["toolCallId"]);
  if (data["phase"] === "start") {
    run.parts.push({
      kind: "tool",
      id,
      name: String(data["name"]),
      args: data["args"],
      result: null,
      isError: false,
      durationMs: null,
    });
    return;
  }
  const use = tool(run.parts, id);
  if (!use) return;
  if (data["phase"] === "update") {
    use.result = String(data["partialResult"] ?? "");
    return;
  }
  use.result = String(data["result"] ?? "");
  use.isError = data["isError"] === true;
  use.durationMs = Number(data["durationMs"] ?? 0);
}

function lifeHeard(run: Run, ts: number, data: Record<string, unknown>): void {
  const phase = data["phase"];
  if (phase === "start") {
    run.stage = "working";
    run.startedAt = Number(data["startedAt"] ?? ts);
    runs.value = new Map(runs.value);
  } else if (phase === "model") {
    run.model = [data["provider"], data["model"]].filter(Boolean).join("/");
  } else if (phase === "end" || phase === "error") {
    run.endedAt = Number(data["endedAt"] ?? ts);
    run.stage = phase === "error" ? "failed" : data["aborted"] ? "aborted" : "done";
    if (phase === "error") run.error = String(data["error"] ?? "");
    runs.value = new Map(runs.value);
    for (const act of whenEnded) act(run);
  }
}

function chatHeard(event: ChatEvent): void {
  if (event.state !== "delta" && !runs.value.has(event.runId)) return;
  const run = known(event.runId, { session: event.sessionKey });
  if (event.usage) {
    run.tokens = event.usage.output ?? 0;
    run.input = (event.usage.input ?? 0) + (event.usage.cacheRead ?? 0);
  }
  if (event.errorMessage) run.error = event.errorMessage;
  note(run);
}

/** Events of version 4 do not say whose a run is. */
function askWhose(): void {
  if (asking) return;
  asking = setTimeout(() => {
    call<{ runs: { list: Row[] } }>("status")
      .then(({ runs: { list } }) => {
        for (const row of list) {
          known(row.runId, { session: row.sessionKey ?? "", agent: row.agentId, door: row.door });
        }
      })
      .catch(() => undefined)
      .finally(() => {
        asking = 0;
      });
  }, 50);
}

when<AgentEvent>("agent", heard);
when<ChatEvent>("chat", chatHeard);
when<Changed>("sessions.changed", ({ runId, sessionKey, agentId, phase }) => {
  if (phase === "start" || runs.value.has(runId)) known(runId, { session: sessionKey, agent: agentId });
});
whenOpen(() => {
  runs.value = new Map();
});
