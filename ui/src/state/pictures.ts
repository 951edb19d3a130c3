// Images: those that go with a message, from a file, a paste or a drop, and those that stand in a history.

import { call } from "../connection/gateway";
import type { Attachment } from "./conversation";
import type { ImagePlace } from "./parts";

const KINDS = ["image/png", "image/jpeg", "image/webp", "image/gif"];
const MOST_BYTES = 6 << 20;

/** Those of the files that are images. Raises what to say of one that is too large or is none. */
export async function taken(files: Iterable<File>): Promise<Attachment[]> {
  const made: Attachment[] = [];
  for (const file of files) {
    if (!KINDS.includes(file.type)) throw new Error(`${file.name} is no image that can be sent (PNG, JPEG, WebP, GIF).`);
    if (file.size > MOST_BYTES) throw new Error(`${file.name} is larger than 6 MB.`);
    made.push({ fileName: file.name, mimeType: file.type, content: await base64(file) });
  }
  return made;
}

export function source(image: Attachment): string {
  return `data:${image.mimeType};base64,${image.content}`;
}

interface Told {
  ok: boolean;
  mimeType?: string;
  data?: string;
  unavailableReason?: string;
}

let last: Promise<unknown> = Promise.resolve();

/** An image of a history, one after the other: a conversation may have many, each some megabytes. Null when it
 * is not wanted any more; raises what to say of one that cannot be shown. */
export function pictureOf(session: string, place: ImagePlace, isWanted: () => boolean): Promise<Blob | null> {
  const mine = last.then(async () => {
    if (!isWanted()) return null;
    const told = await call<Told>("chat.image", { sessionKey: session, ...place });
    if (!told.ok || !told.data || !told.mimeType) {
      throw new Error(told.unavailableReason === "oversized" ? "too large to be shown" : "not kept any more");
    }
    // Only what is drawn and never runs.
    if (!KINDS.includes(told.mimeType)) throw new Error("of a kind that is not shown");
    const text = atob(told.data);
    return new Blob([Uint8Array.from(text, (letter) => letter.charCodeAt(0))], { type: told.mimeType });
  });
  last = mine.catch(() => undefined);
  return mine;
}

function base64(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ""));
    reader.onerror = () => reject(new Error(`${file.name} cannot be read.`));
    reader.readAsDataURL(file);
  });
}
