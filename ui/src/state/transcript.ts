// From the messages of `chat.history` to what is shown: questions, and answers with their tools. Pure.

import { add, textOf, tool, type Attached, type Part } from "./parts";

export interface Content {
  type: string;
  text?: string;
  thinking?: string;
  id?: string;
  name?: string;
  arguments?: unknown;
  mimeType?: string;
  fileName?: string;
}

export interface Message {
  role: "user" | "assistant" | "system" | "toolResult";
  content: Content[];
  timestamp: number;
  __openclaw?: { id: string; runId: string; idempotencyKey?: string };
  model?: string;
  provider?: string;
  stopReason?: string;
  toolCallId?: string;
  toolName?: string;
  isError?: boolean;
}

export interface Entry {
  /** The place of its first message in the session, from 0. */
  at: number;
  /** Of the first message, where the gateway gives ids. */
  id: string;
  who: "user" | "agent" | "system";
  parts: Part[];
  attached: Attached[];
  model: string;
  timestamp: number;
  aborted: boolean;
}

/** `first` is the place of the first message in the session. */
export function entries(messages: Message[], first: number): Entry[] {
  const made: Entry[] = [];
  messages.forEach((message, number) => {
    const last = made.at(-1);
    if (message.role === "toolResult") {
      const answer = last?.who === "agent" ? last : begun(made, message, first + number);
      answered(answer.parts, message);
      return;
    }
    const goesOn = message.role === "assistant" && last?.who === "agent";
    const entry = goesOn ? last : begun(made, message, first + number);
    take(entry, message);
  });
  return made;
}

function begun(made: Entry[], message: Message, at: number): Entry {
  const who = message.role === "user" ? "user" : message.role === "system" ? "system" : "agent";
  const entry: Entry = {
    at,
    id: message.__openclaw?.id ?? "",
    who,
    parts: [],
    attached: [],
    model: "",
    timestamp: message.timestamp,
    aborted: false,
  };
  made.push(entry);
  return entry;
}

function take(entry: Entry, message: Message): void {
  entry.timestamp = message.timestamp;
  entry.aborted ||= message.stopReason === "aborted";
  if (message.model) entry.model = message.model;
  // Two messages in a row are two paragraphs.
  if (entry.parts.at(-1)?.kind === "text" && message.content[0]?.type === "text") add(entry.parts, "text", "\n\n");
  for (const part of message.content) {
    if (part.type === "text") {
      if (part.text) add(entry.parts, "text", part.text);
    } else if (part.type === "thinking") {
      add(entry.parts, "thinking", part.thinking ?? "");
    } else if (part.type === "toolCall") {
      entry.parts.push({
        kind: "tool",
        id: part.id ?? "",
        name: part.name ?? "",
        args: part.arguments,
        result: null,
        isError: false,
        durationMs: null,
      });
    }
  }
  entry.attached.push(...attachedTo(message));
}

function attachedTo(message: Message): Attached[] {
  const messageId = message.__openclaw?.id;
  let images = 0;
  return message.content.flatMap((part) => {
    if (["text", "thinking", "toolCall"].includes(part.type)) return [];
    const attached: Attached = { kind: part.type, name: part.fileName ?? part.mimeType ?? part.type };
    if (part.type === "image" && messageId) attached.from = { messageId, index: images++ };
    return [attached];
  });
}

function answered(parts: Part[], message: Message): void {
  const text = message.content.flatMap((part) => (part.type === "text" ? [part.text ?? ""] : [])).join("\n");
  const images = attachedTo(message);
  const known = tool(parts, message.toolCallId ?? "");
  if (known) {
    known.result = text;
    known.isError = message.isError ?? false;
    known.images = images;
    return;
  }
  parts.push({
    kind: "tool",
    id: message.toolCallId ?? "",
    name: message.toolName ?? "",
    args: null,
    result: text,
    isError: message.isError ?? false,
    durationMs: null,
    images,
  });
}

/** What somebody who reads elsewhere keeps of a session. */
export function asMarkdown(title: string, shown: Entry[]): string {
  const said = shown.map((entry) => {
    const who = entry.who === "user" ? "You" : entry.who === "agent" ? "Agent" : "System";
    const tools = entry.parts.flatMap((part) =>
      part.kind === "tool" ? [`- ${part.name} ${JSON.stringify(part.args)}`] : [],
    );
    return [`## ${who}`, ...(tools.length ? [tools.join("\n")] : []), textOf(entry.parts)].join("\n\n");
  });
  return `# ${title}\n\n${said.join("\n\n")}\n`;
}
