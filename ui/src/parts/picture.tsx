// An image of a conversation, had from the gateway when it comes near what is looked at.

import { useEffect, useRef, useState } from "preact/hooks";
import { phase, serves } from "../connection/gateway";
import { Gone } from "../connection/frames";
import { open } from "../state/conversation";
import type { Attached } from "../state/parts";
import { pictureOf } from "../state/pictures";

export function Pictures({ of }: { of: Attached[] }) {
  return (
    <>
      {of.map((each, number) =>
        each.from && serves("chat.image") ? (
          <Picture key={number} of={each} />
        ) : (
          <p key={number} class="faint">
            [{each.name}]
          </p>
        ),
      )}
    </>
  );
}

function Picture({ of }: { of: Attached }) {
  const root = useRef<HTMLParagraphElement>(null);
  const [isNear, setNear] = useState(false);
  const [source, setSource] = useState("");
  const made = useRef("");
  const [wrong, setWrong] = useState("");
  const isOpen = phase.value === "open";
  const { messageId, index } = of.from ?? { messageId: "", index: 0 };
  useEffect(() => {
    const at = root.current;
    if (!at) return;
    const watch = new IntersectionObserver(
      ([seen]) => {
        if (!seen?.isIntersecting) return;
        watch.disconnect();
        setNear(true);
      },
      { rootMargin: "600px 0px" },
    );
    watch.observe(at);
    return () => {
      watch.disconnect();
      if (made.current) URL.revokeObjectURL(made.current);
    };
  }, []);
  useEffect(() => {
    if (!isNear || !isOpen || made.current) return;
    let isWanted = true;
    pictureOf(open.peek(), { messageId, index }, () => isWanted).then(
      (blob) => {
        if (!blob || !isWanted) return;
        made.current = URL.createObjectURL(blob);
        setSource(made.current);
      },
      // After a lost connection it is asked for again.
      (reason: Error) => isWanted && !(reason instanceof Gone) && setWrong(reason.message),
    );
    return () => {
      isWanted = false;
    };
  }, [isNear, isOpen, messageId, index]);
  if (source && !wrong) {
    return <img class="attached" src={source} alt={of.name} onError={() => setWrong("not an image that can be drawn")} />;
  }
  return (
    <p class={wrong ? "faint" : "attached waits"} ref={root}>
      [{of.name}
      {wrong && `: ${wrong}`}]
    </p>
  );
}
