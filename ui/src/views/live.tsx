// The runs under way, and the last that ended while this page was open.

import { useEffect, useState } from "preact/hooks";
import { may } from "../connection/gateway";
import { Page } from "../parts/page";
import { nameOf } from "../state/agents";
import { path } from "../state/route";
import { isLive, pace, runs, stop, type Run, type Stage } from "../state/runs";
import { titleOf } from "../state/sessions";
import { brief, exact, span } from "../text/times";

const WORDS: Record<Stage, string> = {
  queued: "waits",
  working: "at work",
  done: "done",
  aborted: "stopped",
  failed: "failed",
};

export function LiveView() {
  const all = [...runs.value.values()].reverse();
  const going = all.filter(isLive);
  const over = all.filter((run) => !isLive(run));
  return (
    <Page title="Live runs">
      {going.length ? <Table title="Under way" of={going} /> : <p class="faint empty">Nothing is running.</p>}
      {over.length > 0 && <Table title="Ended since you opened this page" of={over} />}
    </Page>
  );
}

function Table({ title, of }: { title: string; of: Run[] }) {
  return (
    <div class="wide" tabIndex={0} role="group" aria-label={title}>
      <table>
        <caption>{title}</caption>
        <thead>
          <tr>
            <th scope="col">Conversation</th>
            <th scope="col">Agent</th>
            <th scope="col">Model</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              First token
            </th>
            <th scope="col" class="number">
              Tokens/s
            </th>
            <th scope="col" class="number">
              Since
            </th>
            <th scope="col">
              <span class="out-of-sight">What to do</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {of.map((run) => (
            <Row key={run.id} run={run} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ run }: { run: Run }) {
  run.changed.value; // the figures change in place
  const [now, setNow] = useState(Date.now());
  const isGoing = isLive(run);
  useEffect(() => {
    if (!isGoing) return;
    const clock = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(clock);
  }, [isGoing]);
  const rate = pace(run, now);
  return (
    <tr>
      <td dir="auto">
        {run.session ? <a href={path("chat", run.session)}>{titleOf(run.session)}</a> : <span class="faint">not kept</span>}
      </td>
      <td>{nameOf(run.agent)}</td>
      <td>{run.model}</td>
      <td class={run.stage === "failed" ? "wrong" : ""} title={run.error}>
        {WORDS[run.stage]}
      </td>
      <td class="number">{run.firstAt && run.startedAt ? span(run.firstAt - run.startedAt) : ""}</td>
      <td class="number">{rate ? Math.round(rate) : ""}</td>
      <td class="number">
        {run.startedAt ? (
          <time title={exact(run.startedAt)}>{isGoing ? span(Math.max(0, now - run.startedAt)) : brief(run.startedAt)}</time>
        ) : (
          ""
        )}
      </td>
      <td>
        {isGoing && may("write") && (
          <button type="button" class="quiet" onClick={() => void stop(run)}>
            Stop
          </button>
        )}
        <a class="quiet" href={path("log", run.id)}>
          Log
        </a>
      </td>
    </tr>
  );
}
