// Which conversation this is, with whom, how full its context is, and what can be done with it as a whole.

import { computed, signal } from "@preact/signals";
import { call, may, serves } from "../../connection/gateway";
import { askName, askWhether } from "../../parts/ask";
import { Icon } from "../../parts/icon";
import { Menu, type Choice } from "../../parts/menu";
import { agentIn, agents, nameOf, windows } from "../../state/agents";
import { key, show, shown } from "../../state/conversation";
import { go, path } from "../../state/route";
import { runs } from "../../state/runs";
import { beginAnew, copiesOf, fork, parentOf, remove, rename, titleOf } from "../../state/sessions";
import { asMarkdown, entries, type Message } from "../../state/transcript";
import { save } from "../../text/files";
import { exactly, short } from "../../text/numbers";
import { RailButton } from "../../parts/rail_button";

const agent = computed(() => agents.value.find((each) => each.id === agentIn(key.value)));
/** What the newest run of the session was sent and has said: about what the next one begins with. */
const filled = computed(() => {
  const last = [...runs.value.values()].findLast((run) => run.session === key.value && run.input > 0);
  return last ? last.input + last.tokens : 0;
});

/** What came of something that was done to the conversation. */
const said = signal("");

export function Header() {
  const session = key.value;
  const model = agent.value?.model?.primary ?? "";
  return (
    <header class="top">
      <RailButton />
      {said.value && (
        <p class="told" role="status">
          {said.value}
        </p>
      )}
      <div class="about">
        <h1 dir="auto">{titleOf(session)}</h1>
        <p class="faint">
          {nameOf(agentIn(session))}
          {model && <> · {model}</>}
          {parentOf(session) && (
            <>
              {" · a copy of "}
              <a href={path("chat", parentOf(session))}>{titleOf(parentOf(session))}</a>
            </>
          )}
          {copiesOf(session).map((copy) => (
            <>
              {" · "}
              <a href={path("chat", copy.key)}>{copy.displayName}</a>
            </>
          ))}
        </p>
      </div>
      <Meter of={windows.value.get(model)} />
      <Menu label="This conversation" choices={choices(session)}>
        <Icon of="more" />
      </Menu>
    </header>
  );
}

function Meter({ of }: { of: number | undefined }) {
  const used = filled.value;
  if (!used) return null;
  const text = of
    ? `Context: ${exactly(used)} of ${exactly(of)} tokens`
    : `Context: ${exactly(used)} tokens; the model's window is not known`;
  return (
    <span class="meter faint" title={text}>
      {of && <meter min={0} max={of} high={of * 0.8} value={used} aria-label={text} />}
      <span aria-hidden={of !== undefined}>{of ? `${Math.round((used / of) * 100)} %` : short(used)}</span>
    </span>
  );
}

function choices(session: string): Choice[] {
  const all: Choice[] = [];
  const isMain = session.endsWith(":main");
  if (may("write") && shown.value.length) {
    all.push({ label: "Rename…", act: () => void renamed(session) });
  }
  all.push(
    { label: "Save as Markdown", act: () => void exported(session, "md") },
    { label: "Save as JSON", act: () => void exported(session, "json") },
  );
  if (serves("sessions.fork") && may("write") && shown.value.length) {
    all.push({ label: "Go on in a copy", act: () => void fork(session, "").then((made) => go("chat", made.sessionKey)) });
  }
  if (may("admin")) {
    if (serves("sessions.compact") && shown.value.length > 2) {
      all.push({ label: "Summarise the older part", act: () => void compacted(session) });
    }
    all.push({ label: "Begin anew…", act: () => void reset(session) });
    if (!isMain) all.push({ label: "Delete…", act: () => void deleted(session), isGrave: true });
  }
  return all;
}

async function renamed(session: string): Promise<void> {
  const name = await askName("Name of the conversation", titleOf(session), "Rename");
  if (name !== null) await rename(session, name);
}

async function exported(session: string, kind: "md" | "json"): Promise<void> {
  const messages: Message[] = [];
  for (let offset: number | undefined = 0; offset !== undefined; ) {
    const page: { messages: Message[]; nextOffset?: number } = await call("chat.history", {
      sessionKey: session,
      limit: 1_000,
      offset,
      maxChars: 500_000,
    });
    messages.unshift(...page.messages);
    offset = page.messages.length ? page.nextOffset : undefined;
  }
  const title = titleOf(session);
  if (kind === "json") save(`${title}.json`, "application/json", JSON.stringify({ key: session, title, messages }, null, 2));
  else save(`${title}.md`, "text/markdown", asMarkdown(title, entries(messages, 0)));
}

async function compacted(session: string): Promise<void> {
  try {
    const told = await call<{ compacted: boolean; reason?: string }>("sessions.compact", { key: session });
    said.value = told.compacted ? "The older part is summarised for the model." : `Not needed: ${told.reason ?? ""}`;
  } catch (error) {
    said.value = (error as Error).message;
  }
  setTimeout(() => (said.value = ""), 6_000);
}

async function reset(session: string): Promise<void> {
  const text = "The agent is not told any more what was said. It stays in the store.";
  if (!(await askWhether("Begin this conversation anew?", text, "Begin anew"))) return;
  await beginAnew(session);
  await show(session);
}

async function deleted(session: string): Promise<void> {
  const text = "All that was said in it is deleted from the gateway. There is no way back.";
  if (!(await askWhether(`Delete “${titleOf(session)}”?`, text, "Delete"))) return;
  await remove(session);
  go("chat");
}
