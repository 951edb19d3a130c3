// What every view but the conversation looks like: a heading, what can be chosen, the content.

import type { ComponentChildren } from "preact";
import { RailButton } from "./rail_button";

interface Props {
  title: string;
  error?: string;
  tools?: ComponentChildren;
  children: ComponentChildren;
}

export function Page({ title, error, tools, children }: Props) {
  return (
    <div class="view">
      <header class="top">
        <RailButton />
        <h1>{title}</h1>
        <div class="row">{tools}</div>
      </header>
      <div class="scroller">
        {error && (
          <p class="wrong" role="alert">
            {error}
          </p>
        )}
        {children}
      </div>
    </div>
  );
}
