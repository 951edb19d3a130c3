// Where one writes. Enter sends, Shift+Enter begins a line, Escape stops the run; while one is at work Ctrl+Enter
// tells it now, and does not wait until it has ended. Images are pasted, dropped or chosen.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { may, phase } from "../../connection/gateway";
import { Icon } from "../../parts/icon";
import { agentIn, nameOf } from "../../state/agents";
import { attached, busy, drafts, key, send, stopAll, type Attachment } from "../../state/conversation";
import { source, taken } from "../../state/pictures";

const AWAY = "Not connected to the gateway: nothing was sent. What you wrote stays here until the connection is back.";

export function Composer() {
  const session = key.value;
  const isOpen = phase.value === "open";
  const [text, setText] = useState("");
  const [images, setImages] = useState<Attachment[]>([]);
  const [error, setError] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const chooser = useRef<HTMLInputElement>(null);
  useEffect(() => {
    setText(drafts.get(session) ?? "");
    setImages(attached.get(session) ?? []);
    setError("");
  }, [session]);
  useEffect(() => {
    if (isOpen) setError((old) => (old === AWAY ? "" : old));
  }, [isOpen]);
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
  const hold = (all: Attachment[]) => {
    attached.set(session, all);
    setImages(all);
  };
  const add = (files: Iterable<File>) => {
    taken(files).then(
      (more) => hold([...(attached.get(session) ?? []), ...more]),
      (reason: Error) => setError(reason.message),
    );
  };
  const isReady = isOpen && (text.trim() !== "" || images.length > 0);
  const submit = (steers = false) => {
    if (!isOpen) setError(AWAY);
    if (!isReady) return;
    void send(session, text, images, steers && busy.value !== undefined);
    write("");
    hold([]);
    setError("");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // Enter that ends a composition (Chinese, Japanese, Korean) is no Enter.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit(event.ctrlKey || event.metaKey);
    } else if (event.key === "Escape" && busy.value) {
      void stopAll();
    }
  };
  const onPaste = (event: ClipboardEvent) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    add(files);
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    add(event.dataTransfer?.files ?? []);
  };
  return (
    <div onDragOver={(event) => event.preventDefault()} onDrop={onDrop}>
      {error && (
        <p class="wrong middle" role="alert">
          {error}
        </p>
      )}
      {images.length > 0 && <Pictures images={images} hold={hold} />}
      <form
        class="composer"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <input
          ref={chooser}
          type="file"
          accept="image/png,image/jpeg,image/webp,image/gif"
          multiple
          hidden
          onChange={(event) => {
            add(event.currentTarget.files ?? []);
            event.currentTarget.value = "";
          }}
        />
        <button type="button" class="sign" aria-label="Add images" title="Add images" onClick={() => chooser.current?.click()}>
          <Icon of="clip" />
        </button>
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
          onPaste={onPaste}
        />
        {busy.value && isReady && (
          <button type="button" class="quiet now" title="Without waiting for its end (Ctrl+Enter)" onClick={() => submit(true)}>
            Tell it now
          </button>
        )}
        {busy.value && (
          <button type="button" class="round" aria-label="Stop" title="Stop (Escape)" onClick={() => void stopAll()}>
            <Icon of="stop" />
          </button>
        )}
        <button type="submit" class="round main" aria-label="Send" disabled={!isReady}>
          <Icon of="send" />
        </button>
      </form>
    </div>
  );
}

function Pictures({ images, hold }: { images: Attachment[]; hold: (all: Attachment[]) => void }) {
  return (
    <div class="chips">
      {images.map((image) => (
        <button
          type="button"
          aria-label={`Take away ${image.fileName}`}
          title={`Take away ${image.fileName}`}
          onClick={() => hold(images.filter((each) => each !== image))}
        >
          <img src={source(image)} alt="" />
        </button>
      ))}
    </div>
  );
}
