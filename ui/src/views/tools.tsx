// What each agent can do: its tools after policy, what a model is not told of, skills, MCP servers.

import { useState } from "preact/hooks";
import { serves } from "../connection/gateway";
import { useAsked } from "../parts/asked";
import { Page } from "../parts/page";
import { agents, defaultAgent } from "../state/agents";
import { CommandRules } from "./rules";
import { Skills } from "./skills";

interface Effective {
  profile: string;
  groups: { id: string; label: string; tools: { id: string; label: string; description: string }[] }[];
  notices?: { id: string; message: string }[];
}

interface Server {
  name: string;
  enabled: boolean;
  connected: boolean;
  lastError: string | null;
  tools: string[] | null;
}

export function ToolsView() {
  const [chosen, choose] = useState("");
  const agent = chosen || defaultAgent.value;
  if (!agent) return <Page title="Tools and skills">{null}</Page>;
  const tools = agents.value.length > 1 && (
    <select aria-label="Agent" value={agent} onChange={(event) => choose(event.currentTarget.value)}>
      {agents.value.map((each) => (
        <option value={each.id}>{each.name}</option>
      ))}
    </select>
  );
  return (
    <Page title="Tools and skills" tools={tools}>
      <Tools agent={agent} />
      <Skills agent={agent} />
      {serves("mcp.status") && <Servers />}
      <CommandRules />
    </Page>
  );
}

function Tools({ agent }: { agent: string }) {
  const { told, error } = useAsked<Effective>("tools.effective", { agentId: agent, sessionKey: `agent:${agent}:main` });
  if (error) return <p class="wrong">{error}</p>;
  if (!told) return null;
  return (
    <>
      {told.notices?.map((notice) => <p class="notice">{notice.message}</p>)}
      {told.groups.map((group) => (
        <section>
          <h2>{group.label}</h2>
          <dl class="list">
            {group.tools.map((tool) => (
              <div>
                <dt>{tool.label}</dt>
                <dd dir="auto">{tool.description}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
      {told.groups.length === 0 && <p class="faint empty">This agent has no tools.</p>}
    </>
  );
}

function Servers() {
  const { told } = useAsked<{ servers: Server[] }>("mcp.status");
  if (!told?.servers.length) return null;
  return (
    <section>
      <h2>MCP servers</h2>
      <dl class="list">
        {told.servers.map((server) => (
          <div>
            <dt>
              <span class={server.connected ? "dot good" : server.enabled ? "dot bad" : "dot"} /> {server.name}
            </dt>
            <dd dir="auto">{server.enabled ? (server.lastError ?? server.tools?.join(", ")) : "Switched off."}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
