// Images that go with a message, from a file, a paste or a drop.

import type { Attachment } from "./conversation";

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

function base64(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ""));
    reader.onerror = () => reject(new Error(`${file.name} cannot be read.`));
    reader.readAsDataURL(file);
  });
}
