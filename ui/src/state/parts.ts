// What an answer is made of, whether it is being given or stands in a transcript.

export interface Words {
  kind: "text" | "thinking";
  text: string;
}

/** What goes with a message beside its words; of an image that the history only names, where it is had from. */
export interface Attached {
  kind: string;
  name: string;
  from?: ImagePlace;
}

/** The message's id and the image's number among that message's images. */
export interface ImagePlace {
  messageId: string;
  index: number;
}

export interface ToolUse {
  kind: "tool";
  id: string;
  name: string;
  args: unknown;
  result: string | null;
  isError: boolean;
  durationMs: number | null;
  images?: Attached[];
}

export type Part = Words | ToolUse;

export function add(parts: Part[], kind: Words["kind"], text: string): void {
  const last = parts.at(-1);
  if (last?.kind === kind) last.text += text;
  else parts.push({ kind, text });
}

export function tool(parts: Part[], id: string): ToolUse | undefined {
  return parts.findLast((part): part is ToolUse => part.kind === "tool" && part.id === id);
}

export function textOf(parts: Part[]): string {
  return parts
    .map((part) => (part.kind === "text" ? part.text : ""))
    .join("");
}
