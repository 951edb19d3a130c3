// The commands that each agent may run without being asked about again, and a button that takes one away.

import { useState } from "preact/hooks";
import { call, may, serves } from "../connection/gateway";
import { askWhether } from "../parts/ask";
import { useAsked } from "../parts/asked";
import { nameOf } from "../state/agents";
import { exact } from "../text/times";

interface Rule {
  id?: string;
  pattern: string;
  argPattern?: string;
  lastUsedAt?: number;
  lastUsedCommand?: string;
}

interface Rules {
  hash: string;
  file: { version: 1; agents?: Record<string, { allowlist?: Rule[] }> };
}

export function CommandRules() {
  return serves("exec.approvals.get") && may("admin") ? <Listed /> : null;
}

function Listed() {
  const { told, error, again } = useAsked<Rules>("exec.approvals.get");
  const [wrong, setWrong] = useState("");
  if (!told) return error ? <p class="wrong">{error}</p> : null;
  const rows = Object.entries(told.file.agents ?? {}).flatMap(([agent, rules]) =>
    (rules.allowlist ?? []).map((rule) => ({ agent, rule })),
  );
  if (!rows.length) return null;
  const take = async (agent: string, rule: Rule) => {
    if (!(await askWhether("Ask about this command again?", rule.pattern, "Ask again"))) return;
    try {
      await call("exec.approvals.set", { file: without(told.file, agent, rule), baseHash: told.hash });
      again();
    } catch (reason) {
      setWrong((reason as Error).message);
    }
  };
  return (
    <section>
      <h2>Commands that are always allowed</h2>
      {wrong && (
        <p class="wrong" role="alert">
          {wrong}
        </p>
      )}
      <dl class="list">
        {rows.map(({ agent, rule }) => (
          <div>
            <dt>{agent === "*" ? "every agent" : nameOf(agent)}</dt>
            <dd>
              <code dir="ltr">
                {rule.pattern} {rule.argPattern}
              </code>{" "}
              {rule.lastUsedAt ? <span>last used {exact(rule.lastUsedAt)}</span> : null}
              {serves("exec.approvals.set") && (
                <button type="button" class="quiet" onClick={() => void take(agent, rule)}>
                  Ask again
                </button>
              )}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function without(file: Rules["file"], agent: string, rule: Rule): Rules["file"] {
  const rules = file.agents?.[agent];
  const left = rules?.allowlist?.filter((each) => each !== rule) ?? [];
  return { ...file, agents: { ...file.agents, [agent]: { ...rules, allowlist: left } } };
}
