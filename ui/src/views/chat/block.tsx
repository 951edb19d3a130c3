// Some dozens of messages together, which the browser lays out only when one comes near, and which become Markdown
// then: of ten thousand that are there a frame costs about as much as of a few.

import { memo } from "preact/compat";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Entry } from "../../state/transcript";
import { Said } from "./entry";

const SIZE = 50;

const near = new WeakMap<Element, () => void>();
const watch = new IntersectionObserver(
  (seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      watch.unobserve(target);
      near.get(target)?.();
    }
  },
  { rootMargin: "1500px 0px" },
);

interface Part {
  number: number;
  entries: Entry[];
}

/** By the places of the messages, so that what comes before or behind does not change a block. */
export function blocks(entries: Entry[]): Part[] {
  const made: Part[] = [];
  for (const entry of entries) {
    const number = Math.floor(entry.at / SIZE);
    const last = made.at(-1);
    if (last?.number === number) last.entries.push(entry);
    else made.push({ number, entries: [entry] });
  }
  return made;
}

export const Block = memo(Shown, (old, now) => {
  const [before, after] = [old.entries, now.entries];
  return before.length === after.length && before.every((entry, number) => entry === after[number]);
});

function Shown({ entries }: { entries: Entry[] }) {
  const root = useRef<HTMLDivElement>(null);
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    const at = root.current;
    if (!at) return;
    near.set(at, () => setNear(true));
    watch.observe(at);
    return () => watch.unobserve(at);
  }, []);
  return (
    <div class="block" ref={root}>
      {entries.map((entry) => (
        <Said key={entry.at} entry={entry} isNear={isNear} />
      ))}
    </div>
  );
}
