// Where in the page one is: the part of the address behind "#". It names a session or a view, never a secret.

import { signal } from "@preact/signals";

export type View = "chat" | "live" | "usage" | "models" | "tools" | "config" | "log" | "connect" | "docs";

export interface Route {
  view: View;
  /** A session's key in the view "chat"; a run's id in "log"; a page and a heading in "docs". */
  of: string;
}

const VIEWS: readonly string[] = ["chat", "live", "usage", "models", "tools", "config", "log", "connect", "docs"];

export const route = signal<Route>(read());

export function go(view: View, of = ""): void {
  location.hash = path(view, of);
}

export function path(view: View, of = ""): string {
  return `#/${view}${of ? `/${encodeURIComponent(of)}` : ""}`;
}

function read(): Route {
  const [, view = "", ...rest] = location.hash.split("/");
  let of = "";
  try {
    of = decodeURIComponent(rest.join("/"));
  } catch {
    // An address that somebody has typed: as good as none.
  }
  return VIEWS.includes(view) ? { view: view as View, of } : { view: "chat", of: "" };
}

addEventListener("hashchange", () => {
  route.value = read();
});
