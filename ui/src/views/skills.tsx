// The skills of an agent: which it is told of, and what the others lack.

import { serves } from "../connection/gateway";
import { useAsked } from "../parts/asked";

interface Needs {
  bins: string[];
  anyBins: string[];
  env: string[];
  config: string[];
  os: string[];
}

interface Skill {
  name: string;
  description: string;
  disabled: boolean;
  eligible: boolean;
  modelVisible?: boolean;
  blockedByAllowlist?: boolean;
  blockedByAgentFilter?: boolean;
  missing: Partial<Needs>;
}

export function Skills({ agent }: { agent: string }) {
  return serves("skills.status") ? <Listed agent={agent} /> : null;
}

function Listed({ agent }: { agent: string }) {
  const { told, error } = useAsked<{ skills: Skill[]; notes?: string[] }>("skills.status", { agentId: agent });
  if (error) return <p class="wrong">{error}</p>;
  if (!told) return null;
  return (
    <section>
      <h2>Skills</h2>
      {told.skills.length === 0 && <p class="faint">This agent has no skills.</p>}
      <dl class="list">
        {told.skills.map((skill) => (
          <div>
            <dt>
              <span class={isUsed(skill) ? "dot good" : "dot"} /> {skill.name}
            </dt>
            <dd dir="auto">
              {skill.description}
              {!isUsed(skill) && <b class="why"> {why(skill)}</b>}
            </dd>
          </div>
        ))}
      </dl>
      {told.notes?.map((note) => <p class="notice">{note}</p>)}
    </section>
  );
}

function isUsed(skill: Skill): boolean {
  return skill.modelVisible ?? (skill.eligible && !skill.disabled);
}

function why(skill: Skill): string {
  if (skill.disabled) return "Switched off.";
  if (skill.blockedByAllowlist || skill.blockedByAgentFilter) return "Not among the agent's skills.";
  const { bins = [], anyBins = [], env = [], config = [], os = [] } = skill.missing;
  const lacks = [...bins, ...(anyBins.length ? [`one of ${anyBins.join(", ")}`] : []), ...env, ...config, ...os];
  return lacks.length ? `Lacks ${lacks.join(", ")}.` : "Not told to the model.";
}
