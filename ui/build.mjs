// Makes the page that the gateway serves: a document, a style, a script, and what of it is loaded only when needed.
// Usage: node build.mjs FOLDER. Files are compressed once, here; a name holds the hash of what is in it.
// Nothing of the machine gets into a file: the same source gives the same bytes.

import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const target = process.argv[2];
if (!target) throw new Error("Name the folder to write to.");

const made = await build({
  entryPoints: { app: "src/main.tsx", style: "src/style/page.css" },
  bundle: true,
  splitting: true,
  // Else the names depend on where the packages lie.
  preserveSymlinks: true,
  minify: true,
  write: false,
  outdir: "ui",
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  format: "esm",
  target: ["es2022", "chrome123", "firefox120", "safari17.5"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  charset: "utf8",
  logLevel: "warning",
});

await mkdir(target, { recursive: true });
for (const old of await readdir(target)) {
  if (old.endsWith(".gz")) await rm(join(target, old));
}

let page = await readFile("src/page.html", "utf8");
for (const file of made.outputFiles) {
  const name = basename(file.path);
  page = page.replace(`{${name.split("-")[0]}}`, `ui/${name}`);
  await put(name, file.contents);
}
await put("page.html", Buffer.from(page));
await put("licences.txt", Buffer.from(await licences()));

// What the script is made of beside our own, and under which terms.
async function licences() {
  const { dependencies } = JSON.parse(await readFile("package.json", "utf8"));
  const texts = [];
  for (const name of [...Object.keys(dependencies), "@preact/signals-core"].sort()) {
    const folder = join("node_modules", name);
    const file = (await readdir(folder)).find((each) => /^licen[cs]e/i.test(each));
    if (!file) throw new Error(`${name} has no licence.`);
    texts.push(`${name}\n\n${(await readFile(join(folder, file), "utf8")).trim()}\n`);
  }
  return texts.join("\n\n");
}

async function put(name, contents) {
  const packed = gzipSync(contents, { level: 9 });
  packed[9] = 255; // the byte that names the operating system
  await writeFile(join(target, `${name}.gz`), packed);
  console.log(`${name}  ${contents.length} bytes, ${packed.length} compressed`);
}
