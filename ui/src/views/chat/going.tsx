// What is under way: a question that was just asked, and the answer that is coming.

import { useEffect, useState } from "preact/hooks";
import { may } from "../../connection/gateway";
import { brought, dismiss, place, send, type Pending } from "../../state/conversation";
import { source } from "../../state/pictures";
import { isLive, pace, type Run } from "../../state/runs";
import { span } from "../../text/times";
import { Answer } from "./answer";

export function Question({ asked, run }: { asked: Pending; run: Run | undefined }) {
  const images = brought.get(asked.runId) ?? [];
  const again = () => {
    dismiss(asked.runId);
    void send(asked.session, asked.text, images);
  };
  return (
    <>
      <article class="said user" aria-label="You">
        <p class="asked" dir="auto">
          {asked.text}
        </p>
        {images.map((image) => (
          <img class="attached" src={source(image)} alt={image.fileName} />
        ))}
        {asked.images > images.length && (
          <p class="faint">
            with {asked.images} {asked.images === 1 ? "image" : "images"}
          </p>
        )}
      </article>
      {run && !asked.error && <Going run={run} steering={steering(asked)} />}
      {asked.error && (
        <div class="failure" role="alert">
          <p dir="auto">{asked.error}</p>
          <div class="row">
            {may("write") && asked.images === images.length && (
              <button type="button" class="quiet" onClick={again}>
                Try again
              </button>
            )}
            <button type="button" class="quiet" onClick={() => dismiss(asked.runId)}>
              Put away
            </button>
          </div>
        </div>
      )}
    </>
  );
}

/** What became so far of a message for the run at work; "" of any other. */
function steering(asked: Pending): string {
  if (!asked.steers) return "";
  return asked.isTaken ? "Told to the answer above before its next step, else it has its turn" : "Is being told";
}

export function Going({ run, steering = "" }: { run: Run; steering?: string }) {
  run.changed.value; // the parts grow in place
  const before = place(run);
  const isGoing = isLive(run);
  return (
    <article class="said agent going" aria-label="Answer" aria-busy={isGoing}>
      <Answer parts={[...run.parts]} isNear whole={!isGoing} />
      {isGoing && (
        <p class="faint progress" role="status">
          <span class="dot busy" />
          {run.stage === "queued" && before > 0 ? steering || `Waits its turn: ${before} before it` : <Pace run={run} />}
        </p>
      )}
      {run.stage === "failed" && (
        <p class="wrong" dir="auto">
          {run.error}
        </p>
      )}
    </article>
  );
}

/** Counted by the clock, so that one sees that something goes on. */
function Pace({ run }: { run: Run }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const clock = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(clock);
  }, []);
  if (!run.firstAt) return <>{run.startedAt && now - run.startedAt > 2_000 ? `Working, ${span(now - run.startedAt)}` : "Working"}</>;
  const rate = pace(run, now);
  return <>{rate ? `about ${Math.round(rate)} tokens a second` : "Working"}</>;
}
