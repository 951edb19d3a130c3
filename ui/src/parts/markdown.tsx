// A text in Markdown that may still be growing.

import { useLayoutEffect, useRef } from "preact/hooks";
import { Page, type Leads } from "../text/markdown";

interface Props {
  text: string;
  whole?: boolean;
  /** Of a page of the documentation; must stay the same function as long as the text does. */
  leads?: Leads;
}

export function Markdown({ text, whole = true, leads }: Props) {
  const root = useRef<HTMLDivElement>(null);
  const page = useRef<Page | null>(null);
  useLayoutEffect(() => {
    const at = root.current;
    if (!at) return;
    if (!page.current?.goOn(text)) {
      at.replaceChildren();
      page.current = new Page(at, leads);
      page.current.goOn(text);
    }
    if (whole) {
      page.current.end();
      page.current = null;
    }
  }, [text, whole, leads]);
  return <div class="words" dir="auto" ref={root} />;
}
