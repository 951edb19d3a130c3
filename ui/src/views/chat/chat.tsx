// The conversation that is open: what was said, what is being said, and where one writes.

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { phase } from "../../connection/gateway";
import { approvals } from "../../state/approvals";
import {
  earlier,
  key,
  live,
  loadEarlier,
  loading,
  problem,
  show,
  shown,
  waiting,
} from "../../state/conversation";
import { path } from "../../state/route";
import { titleOf } from "../../state/sessions";
import { copy } from "../../text/files";
import { exactly } from "../../text/numbers";
import { ApprovalCard } from "./approval";
import { Composer } from "./composer";
import { Block, blocks } from "./block";
import { Header } from "./header";
import { Going, Question } from "./going";

export function Chat() {
  const scroller = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const session = key.value;
  useEffect(() => {
    follows.current = true;
    if (session) void show(session);
  }, [session]);
  useLayoutEffect(() => {
    const at = scroller.current;
    if (!at) return;
    const stay = () => {
      if (follows.current) at.scrollTop = at.scrollHeight;
    };
    const watch = new ResizeObserver(stay);
    if (at.firstElementChild) watch.observe(at.firstElementChild);
    watch.observe(at);
    return () => watch.disconnect();
  }, []);
  const onScroll = () => {
    const at = scroller.current;
    if (!at) return;
    follows.current = at.scrollHeight - at.scrollTop - at.clientHeight < 60;
    if (at.scrollTop < 800 && !follows.current && earlier.value > 0 && !loading.value) void before(at);
  };
  const runs = live.value;
  const asked = waiting.value;
  const alone = runs.filter((run) => !asked.some((each) => each.runId === run.id));
  const mine = approvals.value.filter((each) => each.request.sessionKey === session);
  const isEmpty = !shown.value.length && !runs.length && !asked.length && !mine.length;
  return (
    <div class="chat">
      <Header />
      <Elsewhere session={session} />
      <div class="scroller" ref={scroller} onScroll={onScroll} onClick={copied}>
        <div class="transcript" role="log" aria-label="Conversation" aria-busy={loading.value} aria-live="off">
          {earlier.value > 0 && <Earlier />}
          {problem.value && (
            <p class="wrong" role="alert">
              {problem.value}
            </p>
          )}
          {isEmpty && !loading.value && phase.value === "open" && <Empty />}
          {blocks(shown.value).map((block) => (
            <Block key={block.number} entries={block.entries} />
          ))}
          {alone.map((run) => (
            <Going key={run.id} run={run} />
          ))}
          {asked.map((each) => (
            <Question key={each.runId} asked={each} run={runs.find((run) => run.id === each.runId)} />
          ))}
          {mine.map((approval) => (
            <ApprovalCard key={approval.id} approval={approval} />
          ))}
        </div>
      </div>
      <Composer />
    </div>
  );
}

/** What is put in before the rest must not move what is being read. */
async function before(at: HTMLElement): Promise<void> {
  const fromEnd = at.scrollHeight - at.scrollTop;
  await loadEarlier();
  requestAnimationFrame(() => {
    at.scrollTop = at.scrollHeight - fromEnd;
  });
}

function Earlier() {
  return (
    <p class="middle">
      <button type="button" class="quiet" disabled={loading.value} onClick={() => void loadEarlier()}>
        Show earlier messages ({exactly(earlier.value)})
      </button>
    </p>
  );
}

function Empty() {
  return (
    <div class="empty-chat">
      <h2>What is it about?</h2>
      <p class="faint">
        Answers, tools and their results appear here as they come. The conversation is kept under its name, for every
        client of this gateway.
      </p>
    </div>
  );
}

/** A command that waits in another conversation is not to be overlooked. */
function Elsewhere({ session }: { session: string }) {
  const others = approvals.value.filter((each) => each.request.sessionKey !== session);
  const first = others[0];
  if (!first) return null;
  const where = first.request.sessionKey;
  if (!where) return <ApprovalCard approval={first} />;
  return (
    <p class="notice" role="status">
      A command waits for your answer in <a href={path("chat", where)}>{titleOf(where)}</a>.
    </p>
  );
}

function copied(event: MouseEvent): void {
  const button = event.target;
  if (!(button instanceof HTMLElement) || !button.matches(".copy-code")) return;
  void copy(button.nextElementSibling?.textContent ?? "").then((done) => {
    button.textContent = done ? "Copied" : "Not copied";
    setTimeout(() => (button.textContent = "Copy"), 1_500);
  });
}
