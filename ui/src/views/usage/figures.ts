// What `sessions.usage` tells, as this page reads it. Pure.

export interface Totals {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  totalTokens: number;
  totalCost: number;
  missingCostEntries: number;
}

export interface Usage {
  startDate: string;
  endDate: string;
  totals: Totals;
  sessions: { key: string; label?: string; agentId: string; usage: Totals | null }[];
  aggregates: {
    messages: { user: number; errors: number };
    byModel: { provider: string; model: string; count: number; totals: Totals }[];
    byAgent: { agentId: string; totals: Totals }[];
    costDaily: (Totals & { date: string })[];
    modelDaily: { date: string; provider: string; model: string; tokens: number; cost: number }[];
  };
}

/** All that was asked; `input` is what of it no cache of a provider gave or took. */
export const askedOf = (totals: Totals): number => totals.input + totals.cacheRead + totals.cacheWrite;

/** A run that failed before any model was asked has none. */
export function modelName(row: { provider?: string; model?: string }): string {
  return [row.provider, row.model].filter(Boolean).join("/") || "(none)";
}

/** Every day from the first to the last, also those on which nothing ran. */
function between(first: string, last: string): string[] {
  const days: string[] = [];
  for (let at = Date.parse(first); at <= Date.parse(last); at += 86_400_000) {
    days.push(new Date(at).toISOString().slice(0, 10));
  }
  return days;
}

/** Days beside each other, the tokens of each model on top of those before it: [names, days, sums]. */
export function stacked(usage: Usage, most: number): [string[], string[], number[][]] {
  const days = between(usage.startDate, usage.endDate);
  const names = usage.aggregates.byModel.map(modelName);
  const own = names.slice(0, names.length > most ? most - 1 : most);
  const shown = names.length > own.length ? [...own, "others"] : own;
  const sums = shown.map(() => days.map(() => 0));
  const at = new Map(days.map((day, number) => [day, number]));
  for (const row of usage.aggregates.modelDaily) {
    const number = own.indexOf(modelName(row));
    const of = sums[number < 0 ? shown.length - 1 : number];
    const day = at.get(row.date);
    if (of && day !== undefined) of[day] = (of[day] ?? 0) + row.tokens;
  }
  for (let number = 1; number < sums.length; number += 1) {
    sums[number] = (sums[number] ?? []).map((value, day) => value + (sums[number - 1]?.[day] ?? 0));
  }
  return [shown, days, sums];
}
