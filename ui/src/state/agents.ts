// The agents one can talk to, and the models behind them.

import { computed, signal } from "@preact/signals";
import { call, hello, may, whenOpen } from "../connection/gateway";

export interface Agent {
  id: string;
  name: string;
  model?: { primary?: string; fallbacks?: string[] };
}

export interface Model {
  id: string;
  name: string;
  provider: string;
  /** False: no agent can have it. */
  available?: boolean;
  reasoning?: boolean;
  contextWindow?: number;
}

export const agents = signal<Agent[]>([]);
export const defaultAgent = signal("");
export const models = signal<Model[]>([]);
export const windows = computed(
  () => new Map(models.value.map((model) => [`${model.provider}/${model.id}`, model.contextWindow])),
);

export function nameOf(agentId: string): string {
  return agents.value.find((agent) => agent.id === agentId)?.name ?? agentId;
}

/** "agent:ada:notes" -> "ada". */
export function agentIn(sessionKey: string): string {
  return sessionKey.split(":")[1] ?? "";
}

export async function loadAgents(): Promise<void> {
  if (!may("read")) return;
  const [told, offered] = await Promise.all([
    call<{ defaultId: string; agents: Agent[] }>("agents.list"),
    call<{ models: Model[] }>("models.list"),
  ]);
  agents.value = told.agents;
  defaultAgent.value = told.defaultId;
  models.value = offered.models;
}

whenOpen(() => {
  defaultAgent.value = hello.value?.snapshot.sessionDefaults.defaultAgentId ?? "";
  void loadAgents().catch(() => undefined);
});
