// A question to the person at the page before something is done: a name, or a yes.

import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

interface Question {
  title: string;
  text: string;
  /** What a field holds at first; null = there is none. */
  value: string | null;
  yes: string;
  isGrave: boolean;
  answer: (value: string | null) => void;
}

const question = signal<Question | null>(null);

export function askName(title: string, value: string, yes: string): Promise<string | null> {
  return put({ title, text: "", value, yes, isGrave: false });
}

export async function askWhether(title: string, text: string, yes: string): Promise<boolean> {
  return (await put({ title, text, value: null, yes, isGrave: true })) !== null;
}

function put(asked: Omit<Question, "answer">): Promise<string | null> {
  return new Promise((answer) => {
    question.value = { ...asked, answer };
  });
}

export function Asking() {
  const dialog = useRef<HTMLDialogElement>(null);
  const asked = question.value;
  useLayoutEffect(() => {
    if (asked) dialog.current?.showModal();
  }, [asked]);
  if (!asked) return null;
  const end = (value: string | null) => {
    question.value = null;
    asked.answer(value);
  };
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    const field = (event.currentTarget as HTMLFormElement).querySelector("input");
    end(field ? field.value : "");
  };
  return (
    <dialog ref={dialog} aria-labelledby="asked" onCancel={() => end(null)}>
      <form onSubmit={onSubmit}>
        <h2 id="asked">{asked.title}</h2>
        {asked.text && <p>{asked.text}</p>}
        {asked.value !== null && (
          <input aria-label={asked.title} dir="auto" maxLength={200} defaultValue={asked.value} autofocus />
        )}
        <div class="row end">
          <button type="button" class="quiet" onClick={() => end(null)}>
            Cancel
          </button>
          <button type="submit" class={asked.isGrave ? "main grave" : "main"}>
            {asked.yes}
          </button>
        </div>
      </form>
    </dialog>
  );
}
