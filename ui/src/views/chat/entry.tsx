// Something that was said, with what can be done with it.

import { memo } from "preact/compat";
import { useState } from "preact/hooks";
import { may, serves } from "../../connection/gateway";
import { Copy } from "../../parts/copy";
import { Pictures } from "../../parts/picture";
import { answerAgain, edit } from "../../state/conversation";
import { textOf } from "../../state/parts";
import type { Entry } from "../../state/transcript";
import { brief, exact } from "../../text/times";
import { Answer } from "./answer";

export const Said = memo(Shown, (old, now) => old.isNear === now.isNear && isSame(old.entry, now.entry));

function isSame(old: Entry, now: Entry): boolean {
  return old === now || JSON.stringify(old) === JSON.stringify(now);
}

/** Of what is not near the text alone is shown, without its marks. */
function Shown({ entry, isNear }: { entry: Entry; isNear: boolean }) {
  const who = entry.who === "user" ? "You" : entry.who === "agent" ? "Answer" : "System";
  return (
    <article class={`said ${entry.who}`} aria-label={who}>
      {entry.who === "agent" ? (
        <Answer parts={entry.parts} isNear={isNear} whole />
      ) : (
        <p class="asked" dir="auto">
          {textOf(entry.parts)}
        </p>
      )}
      <Pictures of={entry.attached} />
      {entry.aborted && <p class="faint">Stopped here.</p>}
      <Foot entry={entry} />
    </article>
  );
}

function Foot({ entry }: { entry: Entry }) {
  const [error, setError] = useState("");
  const mayFork = entry.id !== "" && serves("sessions.fork") && may("write");
  const act = (how: (entry: Entry) => Promise<void>) => {
    how(entry).catch((reason: Error) => setError(reason.message));
  };
  return (
    <footer class="faint">
      <time title={exact(entry.timestamp)}>{brief(entry.timestamp)}</time>
      {entry.model && <span>{entry.model}</span>}
      <Copy text={() => textOf(entry.parts)} />
      {mayFork && entry.who === "user" && (
        <button type="button" class="quiet" title="In a copy of the conversation" onClick={() => act(edit)}>
          Edit
        </button>
      )}
      {mayFork && entry.who === "agent" && (
        <button type="button" class="quiet" title="In a copy of the conversation" onClick={() => act(answerAgain)}>
          Answer again
        </button>
      )}
      {error && (
        <span class="wrong" role="alert">
          {error}
        </span>
      )}
    </footer>
  );
}
