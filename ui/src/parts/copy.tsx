// A button that copies, and says that it has.

import { useState } from "preact/hooks";
import { copy } from "../text/files";

export function Copy({ text, label = "Copy" }: { text: () => string; label?: string }) {
  const [said, say] = useState("");
  const act = async () => {
    say((await copy(text())) ? "Copied" : "Not copied");
    setTimeout(() => say(""), 1_500);
  };
  return (
    <button type="button" class="quiet" onClick={act}>
      <span aria-live="polite">{said || label}</span>
    </button>
  );
}
