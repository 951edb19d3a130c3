// Counts and costs as people read them.

const plain = new Intl.NumberFormat();

export const exactly = (count: number): string => plain.format(count);

export function short(count: number): string {
  if (count < 1_000) return String(Math.round(count));
  if (count < 10_000) return `${(count / 1_000).toFixed(1)}k`;
  if (count < 1_000_000) return `${Math.round(count / 1_000)}k`;
  return `${(count / 1_000_000).toFixed(count < 10_000_000 ? 1 : 0)}M`;
}

/** The ledger's costs are dollars. */
export function cost(dollars: number): string {
  if (dollars === 0) return "–";
  return dollars < 0.01 ? "< $0.01" : `$${dollars.toFixed(2)}`;
}
