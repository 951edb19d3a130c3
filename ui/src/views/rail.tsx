// Beside every view: a new conversation, the sessions, the ways to the other views.

import { hello, may, phase, signOut } from "../connection/gateway";
import { Icon } from "../parts/icon";
import { railOpen } from "../parts/rail_button";
import { agentIn, agents, defaultAgent, nameOf } from "../state/agents";
import { approvals } from "../state/approvals";
import { key } from "../state/conversation";
import { go, path, route, type View } from "../state/route";
import { isLive, runs } from "../state/runs";
import { begunHere, hits, listed, more, query, search, sessions, titleOf, total, type Session } from "../state/sessions";
import { nextTheme, theme } from "../state/theme";
import { age, brief } from "../text/times";

const LINKS: [View, string][] = [
  ["live", "Live runs"],
  ["usage", "Usage"],
  ["models", "Models"],
  ["tools", "Tools and skills"],
  ["config", "Configuration"],
  ["log", "Log"],
  ["connect", "Connect"],
  ["docs", "Documentation"],
];

// Also where one is already: no address changes then.
function chosen(event: Event): void {
  if (event.target instanceof Element && event.target.closest("a")) railOpen.value = false;
}

export function Rail() {
  return (
    <div class="rail" onClick={chosen}>
      <header>
        <span class="name">
          <span class={phase.value === "open" ? "dot good" : "dot"} />
          openclaw-gateway
        </span>
        <button type="button" class="sign" aria-label={`Colours: ${theme.value}`} title={`Colours: ${theme.value}`} onClick={nextTheme}>
          <Icon of="theme" />
        </button>
        <button type="button" class="sign" aria-label="Sign out" title="Sign out" onClick={() => signOut()}>
          <Icon of="out" />
        </button>
      </header>
      <NewChat />
      <div class="search">
        <Icon of="search" />
        <input
          id="search"
          type="search"
          aria-label="Search conversations"
          placeholder="Search"
          dir="auto"
          value={query.value}
          onInput={(event) => search(event.currentTarget.value)}
        />
      </div>
      <Sessions />
      <nav aria-label="Views">
        {LINKS.map(([view, label]) => (
          <a href={path(view)} aria-current={route.value.view === view ? "page" : undefined}>
            {label}
            {view === "live" && <Count of={[...runs.value.values()].filter(isLive).length} />}
          </a>
        ))}
      </nav>
      <p class="faint version">{hello.value?.server.version}</p>
    </div>
  );
}

function NewChat() {
  const begin = (agent: string) => {
    const random = [...crypto.getRandomValues(new Uint8Array(6))];
    const name = random.map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const session = `agent:${agent}:chat-${name}`;
    begunHere.add(session);
    go("chat", session);
    requestAnimationFrame(() => document.getElementById("message")?.focus());
  };
  if (!may("write")) return null;
  return (
    <div class="new">
      <button type="button" class="wide-button" onClick={() => begin(agentIn(key.value) || defaultAgent.value)}>
        <Icon of="plus" /> New chat
      </button>
      {agents.value.length > 1 && (
        <select
          aria-label="New conversation with another agent"
          value={agentIn(key.value) || defaultAgent.value}
          onChange={(event) => begin(event.currentTarget.value)}
        >
          {agents.value.map((agent) => (
            <option value={agent.id}>{agent.name}</option>
          ))}
        </select>
      )}
    </div>
  );
}

function Sessions() {
  const groups = new Map<string, Session[]>();
  for (const session of sessions.value) {
    const heading = age(session.updatedAt);
    groups.set(heading, [...(groups.get(heading) ?? []), session]);
  }
  return (
    <nav class="sessions" aria-label="Sessions" tabIndex={-1}>
      {[...groups].map(([heading, some]) => (
        <section>
          <h2>{heading}</h2>
          <ul>
            {some.map((session) => (
              <Row key={session.key} session={session} />
            ))}
          </ul>
        </section>
      ))}
      {query.value && hits.value.length > 0 && (
        <section>
          <h2>In what was said</h2>
          <ul>
            {hits.value.map((hit) => (
              <li key={`${hit.sessionKey} ${hit.messageId}`}>
                <a class="hit" href={path("chat", hit.sessionKey)}>
                  <Title of={hit.sessionKey} />
                  <span class="faint" dir="auto">
                    {hit.snippet}
                  </span>
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
      {listed.value && sessions.value.length === 0 && hits.value.length === 0 && (
        <p class="faint empty">
          {query.value ? "No conversation has that." : "What you talk about will be listed here."}
        </p>
      )}
      {sessions.value.length < total.value && (
        <button type="button" class="quiet" onClick={more}>
          Show more
        </button>
      )}
    </nav>
  );
}

function Row({ session }: { session: Session }) {
  const asks = approvals.value.some((each) => each.request.sessionKey === session.key);
  const isHere = route.value.view === "chat" && key.value === session.key;
  return (
    <li>
      <a href={path("chat", session.key)} aria-current={isHere ? "page" : undefined}>
        <Title of={session.key} />
        <span class="faint">
          {asks ? <b class="asks">asks</b> : session.hasActiveRun ? <span class="dot busy" role="img" aria-label="at work" /> : null}
          {agents.value.length > 1 ? `${nameOf(session.agentId)} · ` : ""}
          {brief(session.updatedAt)}
        </span>
      </a>
    </li>
  );
}

/** Cut, if it must be, before the number that tells a copy from the others. */
function Title({ of }: { of: string }) {
  const title = titleOf(of);
  const number = / \(\d+\)$/.exec(title)?.[0] ?? "";
  return (
    <span class="title" dir="auto" title={title}>
      <span>{title.slice(0, title.length - number.length)}</span>
      {number && <span class="copy-number">{number}</span>}
    </span>
  );
}

function Count({ of }: { of: number }) {
  return of ? <span class="count">{of}</span> : null;
}
