// A text in Markdown that may still be growing.

import { useLayoutEffect, useRef } from "preact/hooks";
import { Page } from "../text/markdown";

export function Markdown({ text, whole = true }: { text: string; whole?: boolean }) {
  const root = useRef<HTMLDivElement>(null);
  const page = useRef<Page | null>(null);
  useLayoutEffect(() => {
    const at = root.current;
    if (!at) return;
    if (!page.current?.goOn(text)) {
      at.replaceChildren();
      page.current = new Page(at);
      page.current.goOn(text);
    }
    if (whole) {
      page.current.end();
      page.current = null;
    }
  }, [text, whole]);
  return <div class="words" dir="auto" ref={root} />;
}
