// What would come of an edited configuration, as the gateway says before anything is written.

import { useEffect, useState } from "preact/hooks";
import { call, phase, serves } from "../connection/gateway";

type Effect = "at_once" | "restart" | "none";

interface Foreseen {
  changes: { path: string; effect: Effect }[];
  withoutEffect: string[];
  notes: string[];
  endsConnections: boolean;
  reload: { state: "applied" | "off"; restartNeededFor: string[] };
}

/** How long nothing is typed before the gateway is asked what would come of it. */
const REST_MS = 350;

/** What the gateway says would come of the text: asked when it has come to rest, and of no other text. */
export function useForeseen(raw: string, baseHash: string): { told: Foreseen | null; refused: string } {
  const [known, know] = useState<{ raw: string; told: Foreseen | null; refused: string }>({ raw: "", told: null, refused: "" });
  const isOpen = phase.value === "open";
  useEffect(() => {
    if (!raw || !isOpen || !serves("config.preview")) return;
    let isWanted = true;
    const rest = setTimeout(() => {
      call<Foreseen>("config.preview", { raw, baseHash }).then(
        (told) => isWanted && know({ raw, told, refused: "" }),
        (reason: Error) => isWanted && know({ raw, told: null, refused: reason.message }),
      );
    }, REST_MS);
    return () => {
      isWanted = false;
      clearTimeout(rest);
    };
  }, [raw, baseHash, isOpen]);
  return raw && known.raw === raw ? known : { told: null, refused: "" };
}

export function Effects({ of }: { of: Foreseen }) {
  const atOnce = of.changes.filter((change) => change.effect === "at_once").map((change) => change.path);
  const groups: [string, string[]][] = [
    [of.reload.state === "off" ? "Counts after the next start (gateway.reload.mode is off)" : "Counts at once", atOnce],
    ["Counts after a restart only", of.reload.restartNeededFor],
    ["Has no effect here", of.withoutEffect],
  ];
  return (
    <section aria-label="What comes of it" class="effects">
      <dl class="list">
        {groups.map(
          ([words, some]) =>
            some.length > 0 && (
              <div>
                <dt>{words}</dt>
                <dd>
                  <code dir="ltr">{some.join(", ")}</code>
                </dd>
              </div>
            ),
        )}
      </dl>
      {of.endsConnections && <p class="notice">The gateway's secret would be another one: you would have to sign in with it.</p>}
      {of.notes.map((note) => (
        <p class="faint" dir="auto">
          {note}
        </p>
      ))}
    </section>
  );
}
