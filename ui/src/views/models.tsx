// The providers and their models, who uses them, and whether they can be asked.

import { signal } from "@preact/signals";
import { call, may, serves } from "../connection/gateway";
import { useAsked } from "../parts/asked";
import { Page } from "../parts/page";
import { agents, models, type Model } from "../state/agents";
import { exactly } from "../text/numbers";
import { span } from "../text/times";

interface Status {
  providers: { provider: string; displayName: string; status: string }[];
}

interface Trial {
  isGood: boolean;
  text: string;
}

const trials = signal<Readonly<Record<string, Trial | "asking">>>({});

export function ModelsView() {
  const { told, error } = useAsked<Status>("models.authStatus");
  return (
    <Page title="Models" error={error}>
      {told?.providers.map((row) => (
        <Provider
          key={row.provider}
          name={row.displayName}
          isUsable={row.status !== "missing"}
          offered={models.value.filter((model) => model.provider === row.provider)}
        />
      ))}
      {told?.providers.length === 0 && <p class="faint empty">No provider is configured.</p>}
    </Page>
  );
}

function Provider({ name, isUsable, offered }: { name: string; isUsable: boolean; offered: Model[] }) {
  return (
    <section class="provider">
      <h2>
        <span class={isUsable ? "dot good" : "dot"} /> {name} <span class="faint">{isUsable ? "can be asked" : "no agent can ask it: its key or address is missing, or nobody uses it"}</span>
      </h2>
      {offered.length > 0 && (
        <div class="wide" tabIndex={0} role="group" aria-label={`Models of ${name}`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Model</th>
                <th scope="col" class="number">
                  Context
                </th>
                <th scope="col">Used by</th>
                <th scope="col">
                  <span class="out-of-sight">Trial</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {offered.map((model) => (
                <Row key={model.id} model={model} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Row({ model }: { model: Model }) {
  const ref = `${model.provider}/${model.id}`;
  const users = agents.value.filter((agent) => agent.model?.primary === ref || agent.model?.fallbacks?.includes(ref));
  return (
    <tr>
      <th scope="row">
        {model.id} {model.name !== model.id && <span class="faint">{model.name}</span>}
        {model.reasoning && <span class="faint"> thinks</span>}
        {model.available === false && <span class="wrong"> cannot be asked: its provider is not known, or has no key or address</span>}
      </th>
      <td class="number">{model.contextWindow ? exactly(model.contextWindow) : ""}</td>
      <td>{users.map((agent) => agent.name).join(", ")}</td>
      <td>{serves("models.test") && may("admin") && <Test model={ref} />}</td>
    </tr>
  );
}

function Test({ model }: { model: string }) {
  const trial = trials.value[model];
  return (
    <>
      <button type="button" class="quiet" disabled={trial === "asking"} onClick={() => void test(model)}>
        {trial === "asking" ? "Asking" : "Test"}
      </button>
      {trial && trial !== "asking" && (
        <span role="status" class={trial.isGood ? "right" : "wrong"}>
          {" "}
          {trial.text}
        </span>
      )}
    </>
  );
}

async function test(model: string): Promise<void> {
  trials.value = { ...trials.value, [model]: "asking" };
  const began = Date.now();
  let trial: Trial;
  try {
    await call("models.test", { model });
    trial = { isGood: true, text: `answers in ${span(Date.now() - began)}` };
  } catch (error) {
    trial = { isGood: false, text: (error as Error).message };
  }
  trials.value = { ...trials.value, [model]: trial };
}
