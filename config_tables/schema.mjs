// Prints the JSON schema of an installed package that has no `config schema` command: `node schema.mjs <dist>`.
// The older packages hold it as a zod object, in whichever of their bundled files defines it.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const dist = process.argv[2];
const defines = /\b(?:OpenClaw|Clawdbot)Schema = z\b/;
const isWhole = (value) => value?.toJSONSchema && value.shape?.gateway && value.shape?.agents;

for (const name of readdirSync(dist, { recursive: true })) {
  const path = join(dist, name);
  if (!name.endsWith(".js") || !defines.test(readFileSync(path, "utf8"))) continue;
  const exported = Object.values(await import(pathToFileURL(path))).find(isWhole);
  if (!exported) continue;
  const schema = exported.toJSONSchema({ target: "draft-07", unrepresentable: "any", io: "input" });
  process.stdout.write(JSON.stringify(schema), () => process.exit(0));
  await new Promise(() => {});
}
process.exit(1);
