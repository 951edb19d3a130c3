// An answer's parts in their order: words, thoughts, tools with their results.

import { Markdown } from "../../parts/markdown";
import { Pictures } from "../../parts/picture";
import type { Part, ToolUse, Words } from "../../state/parts";
import { span } from "../../text/times";

export function Answer({ parts, isNear, whole }: { parts: Part[]; isNear: boolean; whole: boolean }) {
  return (
    <>
      {parts.map((part, number) => {
        const isWhole = whole || number < parts.length - 1;
        if (part.kind === "tool") {
          return (
            <div key={number}>
              <Tool use={part} isOver={whole} />
              {part.images && <Pictures of={part.images} />}
            </div>
          );
        }
        if (part.kind === "thinking") return <Thoughts key={number} of={part} isWhole={isWhole} />;
        if (isNear) return <Markdown key={number} text={part.text} whole={isWhole} />;
        return (
          <div key={number} class="words raw" dir="auto">
            {part.text}
          </div>
        );
      })}
    </>
  );
}

function Thoughts({ of, isWhole }: { of: Words; isWhole: boolean }) {
  return (
    <details class="thoughts">
      <summary>{isWhole ? "Thoughts" : "Thinking"}</summary>
      <p dir="auto">{of.text}</p>
    </details>
  );
}

function Tool({ use, isOver }: { use: ToolUse; isOver: boolean }) {
  const isAtWork = use.durationMs === null && !isOver;
  const state = isAtWork ? "at work" : use.isError ? "failed" : "";
  const time = use.durationMs === null ? "" : span(use.durationMs);
  return (
    <details class={use.isError ? "tool failed" : "tool"}>
      <summary>
        <span class={isAtWork ? "dot busy" : use.isError ? "dot bad" : "dot good"} />
        <b>{use.name}</b>
        <code dir="ltr">{brief(use.args)}</code>
        <span class="faint">{[state, time].filter(Boolean).join(" · ")}</span>
      </summary>
      <h3>Arguments</h3>
      <pre dir="ltr" tabIndex={0}>
        {pretty(use.args)}
      </pre>
      {use.result !== null && (
        <>
          <h3>Result</h3>
          <pre dir="auto" tabIndex={0}>
            {use.result}
          </pre>
        </>
      )}
    </details>
  );
}

/** The first words of what a tool was called with. */
function brief(args: unknown): string {
  if (args === null || args === undefined) return "";
  if (typeof args !== "object") return String(args).slice(0, 120);
  const values = Object.values(args).map((value) => (typeof value === "string" ? value : JSON.stringify(value)));
  return values.join("  ").replace(/\s+/g, " ").slice(0, 120);
}

function pretty(args: unknown): string {
  return typeof args === "string" ? args : JSON.stringify(args ?? {}, null, 2);
}
