// Lines of the gateway's log as they are read. Pure.

export interface LogLine {
  /** What the line is, where it is no JSON: the whole text. */
  event: string;
  level: string;
  at: string;
  rest: [string, string][];
}

const TAKEN = new Set(["event", "level", "timestamp"]);
const RANK: Record<string, number> = { debug: 0, info: 1, warning: 2, error: 3, critical: 3 };

export function read(text: string): LogLine {
  try {
    const told = JSON.parse(text) as Record<string, unknown>;
    return {
      event: String(told["event"] ?? ""),
      level: String(told["level"] ?? ""),
      at: String(told["timestamp"] ?? ""),
      rest: Object.entries(told)
        .filter(([name]) => !TAKEN.has(name))
        .map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
    };
  } catch {
    return { event: text, level: "", at: "", rest: [] };
  }
}

export function fits(line: LogLine, level: string, wanted: string): boolean {
  if (level && (RANK[line.level] ?? 1) < (RANK[level] ?? 0)) return false;
  if (!wanted) return true;
  const lower = wanted.toLowerCase();
  return (
    line.event.toLowerCase().includes(lower) ||
    line.rest.some(([name, value]) => value.toLowerCase().includes(lower) || name === lower)
  );
}
