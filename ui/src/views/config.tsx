// The configuration in force, without its secrets: what is wrong with what is written, and an editor that shows
// what would change before it does, what of it would count at once, and what would be refused.

import { useState } from "preact/hooks";
import { call, may, serves } from "../connection/gateway";
import { useAsked } from "../parts/asked";
import { Copy } from "../parts/copy";
import { Page } from "../parts/page";
import { differences, type Difference } from "../state/differences";
import { Effects, useForeseen } from "./foreseen";

interface Config {
  path: string;
  exists: boolean;
  config: unknown;
  hash: string;
  issues: { message: string }[];
  warnings: { path: string }[];
}

interface Status {
  config: { restartNeeded: string[] };
}

interface Written {
  noop?: boolean;
  notes?: (string | { message?: string })[];
  reload: { state: "applied" | "pending" | "off"; restartNeededFor: string[] };
}

const STATES = {
  applied: "It is in force.",
  pending: "It will be in force in a moment.",
  off: "It is written, and counts after the next start: gateway.reload.mode is off.",
};

export function ConfigView() {
  const { told, error, again } = useAsked<Config>("config.get");
  const { told: status } = useAsked<Status>("status");
  const [draft, setDraft] = useState<string | null>(null);
  const [said, say] = useState("");
  const text = told ? JSON.stringify(told.config, null, 2) : "";
  const mayEdit = serves("config.set") && may("admin") && told?.exists === true;
  const written = (words: string) => {
    say(words);
    setDraft(null);
    again();
  };
  const tools = told && (
    <>
      <Copy text={() => text} />
      {mayEdit && draft === null && (
        <button type="button" class="main" onClick={() => (say(""), setDraft(text))}>
          Edit
        </button>
      )}
    </>
  );
  return (
    <Page title="Configuration" error={error} tools={tools}>
      {said && (
        <p class="right" role="status">
          {said}
        </p>
      )}
      {told && draft !== null && (
        <Editor key={told.hash} config={told} draft={draft} write={setDraft} done={written} leave={() => setDraft(null)} />
      )}
      {told && draft === null && <Shown told={told} text={text} restart={status?.config.restartNeeded ?? []} />}
    </Page>
  );
}

function Shown({ told, text, restart }: { told: Config; text: string; restart: string[] }) {
  return (
    <>
      <p class="faint">
        {told.exists ? <code>{told.path}</code> : "There is no file: this is what the gateway started with."} What is written
        there counts within a second.
      </p>
      {told.issues.map((issue) => (
        <p class="wrong" role="alert">
          {issue.message}
        </p>
      ))}
      {restart.length > 0 && <p class="notice">Counts after a restart: {restart.join(", ")}</p>}
      <pre class="document" dir="ltr" tabIndex={0}>
        {text}
      </pre>
      {told.warnings.length > 0 && (
        <details>
          <summary>{told.warnings.length} keys have no effect here</summary>
          <ul class="plain">
            {told.warnings.map((warning) => (
              <li>
                <code>{warning.path}</code>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

interface Editing {
  config: Config;
  draft: string;
  write: (text: string) => void;
  done: (words: string) => void;
  leave: () => void;
}

function Editor({ config, draft, write, done, leave }: Editing) {
  const [error, setError] = useState("");
  const [isSent, setSent] = useState(false);
  const [changes, fault] = judged(config.config, draft);
  const isChanged = fault === "" && changes.length > 0;
  const foreseen = useForeseen(isChanged ? draft : "", config.hash);
  const refused = error || foreseen.refused;
  const isKnown = !serves("config.preview") || foreseen.told !== null;
  const save = async () => {
    setSent(true);
    try {
      const told = await call<Written>("config.set", { raw: draft, baseHash: config.hash });
      const restart = told.reload.restartNeededFor;
      done([STATES[told.reload.state], restart.length ? `After a restart only: ${restart.join(", ")}.` : ""].join(" ").trim());
    } catch (reason) {
      setError((reason as Error).message);
    }
    setSent(false);
  };
  return (
    <>
      <p class="faint">
        Secrets are not shown, and stay as they are where you leave their places alone. The file keeps its comments.
      </p>
      <textarea
        class="document"
        dir="ltr"
        spellcheck={false}
        rows={18}
        aria-label="Configuration"
        aria-invalid={fault !== ""}
        value={draft}
        onInput={(event) => {
          setError("");
          write(event.currentTarget.value);
        }}
      />
      {(fault || refused) && (
        <p class="wrong" role="alert" dir="auto">
          {fault || refused}
        </p>
      )}
      <Changes of={changes} />
      {isChanged && foreseen.told && <Effects of={foreseen.told} />}
      <div class="row">
        <button type="button" class="main" disabled={isSent || !isChanged || !isKnown} onClick={() => void save()}>
          Save
        </button>
        <button type="button" class="quiet" onClick={leave}>
          Cancel
        </button>
      </div>
    </>
  );
}

function Changes({ of }: { of: Difference[] }) {
  if (!of.length) return <p class="faint">Nothing is changed.</p>;
  return (
    <dl class="list" aria-label="What is changed">
      {of.map((change) => (
        <div>
          <dt>{change.path}</dt>
          <dd>
            <del>{change.before}</del> <ins>{change.after}</ins>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** What the draft changes, and what is wrong with it as JSON. */
function judged(before: unknown, draft: string): [Difference[], string] {
  try {
    return [differences(before, JSON.parse(draft)), ""];
  } catch (error) {
    return [[], `This is no JSON yet: ${(error as Error).message}`];
  }
}
