// The page as a whole: signed out a form, signed in the rail beside one view.

import { effect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { hello, phase, trouble } from "../connection/gateway";
import { Asking } from "../parts/ask";
import { railOpen } from "../parts/rail_button";
import { go, route, type View } from "../state/route";
import { Chat } from "./chat/chat";
import { ConfigView } from "./config";
import { ConnectView } from "./connect";
import { DocsView } from "./docs";
import { LiveView } from "./live";
import { LogView } from "./log";
import { ModelsView } from "./models";
import { Rail } from "./rail";
import { SignIn } from "./signin";
import { ToolsView } from "./tools";
import { UsageView } from "./usage/usage";

// At once, not after the next painting: by then somebody may have opened it again.
effect(() => {
  if (route.value) railOpen.value = false;
});

const VIEWS: Record<View, () => preact.JSX.Element | null> = {
  chat: Chat,
  live: LiveView,
  usage: UsageView,
  models: ModelsView,
  tools: ToolsView,
  config: ConfigView,
  log: LogView,
  connect: ConnectView,
  docs: DocsView,
};

export function Shell() {
  useEffect(() => {
    addEventListener("keydown", shortcut);
    return () => removeEventListener("keydown", shortcut);
  }, []);
  const at = route.value.view;
  if (phase.value === "out" || (!hello.value && phase.value !== "open")) return <SignIn />;
  const View = VIEWS[at];
  return (
    <div class={railOpen.value ? "shell rail-open" : "shell"}>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the conversation
      </a>
      <Rail />
      <div class="veil" onClick={() => (railOpen.value = false)} />
      <main id="main" tabIndex={-1}>
        {phase.value !== "open" && (
          <p class="notice" role="status">
            {trouble.value || "The connection to the gateway was lost. Trying again."}
          </p>
        )}
        <View />
      </main>
      <Asking />
    </div>
  );
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function shortcut(event: KeyboardEvent): void {
  const isTyping = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    railOpen.value = true;
    requestAnimationFrame(() => document.getElementById("search")?.focus());
  } else if (event.key === "/" && !isTyping) {
    if (route.value.view !== "chat") go("chat");
    requestAnimationFrame(() => document.getElementById("message")?.focus());
  } else if (event.key === "Escape" && railOpen.value) {
    railOpen.value = false;
  } else return;
  event.preventDefault();
}
