// What the runs of the last days came to: by day, by model, by agent, by conversation.

import { useEffect, useState } from "preact/hooks";
import { Page } from "../../parts/page";
import { useAsked } from "../../parts/asked";
import { nameOf } from "../../state/agents";
import { path } from "../../state/route";
import { isLive, runs } from "../../state/runs";
import { titleOf } from "../../state/sessions";
import { cost, exactly, short } from "../../text/numbers";
import { askedOf, modelName, stacked, type Totals, type Usage } from "./figures";
import { Plot } from "./plot";

const DAYS = [7, 30, 90];
const COLOURS = 6;
const LEDGER_MS = 1_500;

export function UsageView() {
  const [days, setDays] = useState(30);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const question = { days, agentScope: "all", mode: "specific", timeZone: zone, utcOffset: offset(), limit: 50 };
  const { told, error, again } = useAsked<Usage>("sessions.usage", question);
  const over = [...runs.value.values()].filter((run) => !isLive(run)).length;
  // The ledger is written a moment behind the run.
  useEffect(() => {
    const soon = setTimeout(again, LEDGER_MS);
    return () => clearTimeout(soon);
  }, [again, over]);
  const tools = (
    <div class="choice" role="group" aria-label="How many days">
      {DAYS.map((each) => (
        <button type="button" aria-pressed={each === days} onClick={() => setDays(each)}>
          {each} days
        </button>
      ))}
    </div>
  );
  return (
    <Page title="Usage" error={error} tools={tools}>
      {told && (told.totals.totalTokens ? <Sums of={told} /> : <p class="faint empty">Nothing has run in these days.</p>)}
    </Page>
  );
}

function Sums({ of }: { of: Usage }) {
  const [names, days, sums] = stacked(of, COLOURS);
  const { totals, aggregates } = of;
  const sessions = of.sessions.flatMap((row) => (row.usage ? [{ ...row, usage: row.usage }] : []));
  return (
    <>
      <dl class="figures">
        <Figure name="Tokens" value={short(totals.totalTokens)} more={exactly(totals.totalTokens)} />
        <Figure name="Asked" value={short(askedOf(totals))} more={exactly(askedOf(totals))} />
        <Figure name="of it cached" value={short(totals.cacheRead)} more={exactly(totals.cacheRead)} />
        <Figure name="Answered" value={short(totals.output)} more={exactly(totals.output)} />
        <Figure name="Runs" value={exactly(aggregates.messages.user)} more={`${aggregates.messages.errors} failed`} />
        <Figure name="Cost" value={cost(totals.totalCost)} more={unpriced(totals)} />
      </dl>
      <Plot names={names} days={days} sums={sums} />
      <div class="tables">
        <Table
          title="By model"
          rows={aggregates.byModel.map((row) => [modelName(row), row.totals, ""])}
        />
        <Table title="By agent" rows={aggregates.byAgent.map((row) => [nameOf(row.agentId), row.totals, ""])} />
        <Table
          title="By conversation"
          rows={sessions
            .toSorted((a, b) => b.usage.totalTokens - a.usage.totalTokens)
            .map((row) => [row.label ?? titleOf(row.key), row.usage, path("chat", row.key)])}
        />
      </div>
    </>
  );
}

function Figure({ name, value, more }: { name: string; value: string; more: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd title={more}>{value}</dd>
    </div>
  );
}

function Table({ title, rows }: { title: string; rows: [string, Totals, string][] }) {
  return (
    <div class="wide" tabIndex={0} role="group" aria-label={title}>
      <table>
        <caption>{title}</caption>
        <thead>
          <tr>
            <th scope="col">
              <span class="out-of-sight">{title}</span>
            </th>
            <th scope="col" class="number">
              Asked
            </th>
            <th scope="col" class="number">
              of it cached
            </th>
            <th scope="col" class="number">
              Answered
            </th>
            <th scope="col" class="number">
              Cost
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, totals, where]) => (
            <tr>
              <th scope="row" dir="auto">
                {where ? <a href={where}>{name}</a> : name}
              </th>
              <td class="number">{exactly(askedOf(totals))}</td>
              <td class="number">{exactly(totals.cacheRead)}</td>
              <td class="number">{exactly(totals.output)}</td>
              <td class="number" title={unpriced(totals)}>
                {cost(totals.totalCost)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function unpriced(totals: Totals): string {
  return totals.missingCostEntries ? `${exactly(totals.missingCostEntries)} runs have no known price` : "";
}

/** For zones that the gateway does not know. */
function offset(): string {
  const minutes = -new Date().getTimezoneOffset();
  const whole = Math.floor(Math.abs(minutes) / 60);
  return `UTC${minutes < 0 ? "-" : "+"}${whole}:${String(Math.abs(minutes) % 60).padStart(2, "0")}`;
}
