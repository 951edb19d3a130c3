// The commands that wait for somebody's yes.

import { signal } from "@preact/signals";
import { call, may, serves, when, whenOpen } from "../connection/gateway";

export type Decision = "allow-once" | "allow-session" | "allow-always" | "deny";

export interface Approval {
  id: string;
  createdAtMs: number;
  expiresAtMs: number;
  request: {
    command: string;
    cwd: string;
    host: string;
    agentId: string;
    sessionKey: string | null;
    runId: string;
    warningText: string;
    user: string | null;
    decisions?: Decision[];
    allowedDecisions: Decision[];
  };
}

export const approvals = signal<Approval[]>([]);

export async function decide(approval: Approval, decision: Decision): Promise<void> {
  await call("exec.approval.resolve", { id: approval.id, decision });
  drop(approval.id);
}

function drop(id: string): void {
  approvals.value = approvals.value.filter((approval) => approval.id !== id);
}

when<Approval>("exec.approval.requested", (asked) => {
  approvals.value = [...approvals.value.filter((each) => each.id !== asked.id), asked];
});
when<{ id: string }>("exec.approval.resolved", ({ id }) => drop(id));
whenOpen(() => {
  if (!serves("exec.approval.list") || !may("approvals")) return;
  call<Approval[]>("exec.approval.list")
    .then((open) => {
      approvals.value = open;
    })
    .catch(() => undefined);
});
