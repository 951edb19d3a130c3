// Where one writes. Enter sends, Shift+Enter begins a line, Escape stops the run.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { may, phase } from "../../connection/gateway";
import { Icon } from "../../parts/icon";
import { agentIn, nameOf } from "../../state/agents";
import { busy, drafts, key, send, stopAll } from "../../state/conversation";

export function Composer() {
  const session = key.value;
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => setText(drafts.get(session) ?? ""), [session]);
  useLayoutEffect(() => {
    const at = field.current;
    if (!at) return;
    at.style.height = "auto";
    at.style.height = `${at.scrollHeight}px`;
  }, [text]);
  if (!may("write")) return <p class="faint middle">This token may read, and not write.</p>;
  const write = (value: string) => {
    drafts.set(session, value);
    setText(value);
  };
  const submit = () => {
    if (!text.trim() || phase.value !== "open") return;
    void send(text);
    write("");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // Enter that ends a composition (Chinese, Japanese, Korean) is no Enter.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    } else if (event.key === "Escape" && busy.value) {
      void stopAll();
    }
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <textarea
        id="message"
        ref={field}
        rows={1}
        dir="auto"
        aria-label={`Message to ${nameOf(agentIn(session))}`}
        placeholder={`Message to ${nameOf(agentIn(session))}`}
        value={text}
        onInput={(event) => write(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      {busy.value && (
        <button type="button" class="round" aria-label="Stop" title="Stop (Escape)" onClick={() => void stopAll()}>
          <Icon of="stop" />
        </button>
      )}
      <button type="submit" class="round main" aria-label="Send" disabled={!text.trim() || phase.value !== "open"}>
        <Icon of="send" />
      </button>
    </form>
  );
}
