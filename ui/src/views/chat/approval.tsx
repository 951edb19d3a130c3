// A command that waits for a yes: whole, with where it runs and why it is asked about.

import { useEffect, useState } from "preact/hooks";
import { may } from "../../connection/gateway";
import { decide, type Approval, type Decision } from "../../state/approvals";
import { nameOf } from "../../state/agents";
import { span } from "../../text/times";

const WORDS: Record<Decision, string> = {
  "allow-once": "Allow once",
  "allow-session": "Allow in this session",
  "allow-always": "Always allow",
  deny: "Deny",
};

export function ApprovalCard({ approval }: { approval: Approval }) {
  const { request } = approval;
  const [error, setError] = useState("");
  const [isSent, setSent] = useState(false);
  const answer = (decision: Decision) => {
    setSent(true);
    decide(approval, decision).catch((reason: Error) => {
      setError(reason.message);
      setSent(false);
    });
  };
  const decisions = request.decisions ?? request.allowedDecisions;
  return (
    <section class="approval" aria-live="assertive" aria-label="A command waits for your answer">
      <h2>
        {nameOf(request.agentId)} wants to run a command
        <Left until={approval.expiresAtMs} />
      </h2>
      <pre dir="ltr" tabIndex={0}>
        {request.command}
      </pre>
      <p class="faint">
        in <code dir="ltr">{request.cwd}</code>, on the {request.host}
        {request.user ? `, for ${request.user}` : ""}
      </p>
      {request.warningText && <p dir="auto">{request.warningText}</p>}
      {error && (
        <p class="wrong" role="alert">
          {error}
        </p>
      )}
      {may("approvals") && (
        <div class="row">
          {decisions.map((decision) => (
            <button
              type="button"
              disabled={isSent}
              class={decision === "deny" ? "quiet" : decision === "allow-once" ? "main" : "quiet"}
              onClick={() => answer(decision)}
            >
              {WORDS[decision] ?? decision}
            </button>
          ))}
        </div>
      )}
    </section>
  );
}

function Left({ until }: { until: number }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const clock = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(clock);
  }, []);
  return <span class="faint"> {until > now ? `${span(Math.max(1_000, until - now))} left` : ""}</span>;
}
