// Times and spans of time as people say them.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const DAY_MS = 86_400_000;

export const exact = (ms: number): string => whole.format(ms);

/** Of today the clock, of another day the day. */
export function brief(ms: number): string {
  return ms >= midnight() ? clock.format(ms) : day.format(ms);
}

/** The heading under which something of that time is listed. */
export function age(ms: number): string {
  const today = midnight();
  if (ms >= today) return "Today";
  if (ms >= today - DAY_MS) return "Yesterday";
  if (ms >= today - 7 * DAY_MS) return "This week";
  if (ms >= today - 30 * DAY_MS) return "This month";
  return "Earlier";
}

export function span(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 60_000) return `${Math.round(ms / 1_000)} s`;
  const minutes = Math.floor(ms / 60_000);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function midnight(): number {
  return new Date().setHours(0, 0, 0, 0);
}
