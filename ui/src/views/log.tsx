// The gateway's log as it grows: of one run, of a session, of whatever is looked for.

import { useEffect, useRef, useState } from "preact/hooks";
import { call, phase } from "../connection/gateway";
import { Page } from "../parts/page";
import { fits, read, type LogLine } from "../state/loglines";
import { route } from "../state/route";

interface Tail {
  cursor: number;
  lines: string[];
  reset?: boolean;
}

const EVERY_MS = 1_000;
const KEPT = 2_000;

export function LogView() {
  const [lines, setLines] = useState<LogLine[]>([]);
  const [error, setError] = useState("");
  const [level, setLevel] = useState("");
  const [wanted, want] = useState(route.value.of);
  const isOpen = phase.value === "open";
  useEffect(() => {
    if (!isOpen) return;
    let cursor: number | null = null;
    let timer = 0;
    let isOver = false;
    const look = async () => {
      try {
        const told: Tail = await call<Tail>("logs.tail", { limit: KEPT, ...(cursor === null ? {} : { cursor }) });
        if (isOver) return;
        const isAnew = cursor === null || told.reset === true;
        cursor = told.cursor;
        if (isAnew || told.lines.length) {
          setLines((old) => [...(isAnew ? [] : old), ...told.lines.map(read)].slice(-KEPT));
        }
        setError("");
      } catch (reason) {
        if (!isOver) setError((reason as Error).message);
      }
      if (!isOver) timer = setTimeout(() => void look(), EVERY_MS);
    };
    void look();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [isOpen]);
  const tools = (
    <>
      <input
        type="search"
        aria-label="Lines with"
        placeholder="Run, session, event"
        value={wanted}
        onInput={(event) => want(event.currentTarget.value)}
      />
      <select aria-label="Level" value={level} onChange={(event) => setLevel(event.currentTarget.value)}>
        <option value="">All levels</option>
        <option value="info">info</option>
        <option value="warning">warning</option>
        <option value="error">error</option>
      </select>
    </>
  );
  const shown = lines.filter((line) => fits(line, level, wanted.trim()));
  return (
    <Page title="Log" error={error} tools={tools}>
      <Lines of={shown} />
      {!error && shown.length === 0 && <p class="faint empty">No line fits.</p>}
    </Page>
  );
}

function Lines({ of }: { of: LogLine[] }) {
  const end = useRef<HTMLDivElement>(null);
  const last = of.at(-1);
  useEffect(() => {
    const at = end.current?.closest(".scroller");
    if (at && at.scrollHeight - at.scrollTop - at.clientHeight < 200) end.current?.scrollIntoView({ block: "end" });
  }, [last, of.length]);
  useEffect(() => end.current?.scrollIntoView({ block: "end" }), [of.length > 0]);
  return (
    <div class="lines" dir="ltr" role="log" aria-live="off" aria-label="Log lines">
      {of.map((line) => (
        <p class={`line ${line.level}`}>
          <time>{line.at.slice(11, 23)}</time> <b>{line.event}</b>{" "}
          {line.rest.map(([name, value]) => (
            <span>
              <i>{name}</i>={value}{" "}
            </span>
          ))}
        </p>
      ))}
      <div ref={end} />
    </div>
  );
}
