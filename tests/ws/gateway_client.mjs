// OpenClaw's own client over the address and token it is given: it signs its connect as a device, says something,
// hears the run, and reads what was said. Prints one JSON object. Ends with an error where anything does not come.
import { createHash, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { GatewayClient } from "@openclaw/gateway-client";

const [url, token, message] = process.argv.slice(2);
const deadline = setTimeout(() => {
  console.error(`nothing more came; so far: ${JSON.stringify(events)}`);
  process.exit(1);
}, 20000);
const events = [];
const hello = Promise.withResolvers();
const ended = Promise.withResolvers();

// What the package leaves to its host: to keep a key, and to sign with it.
const raw = (pem) => createPublicKey(pem).export({ type: "spki", format: "der" }).subarray(-32);
const { publicKey, privateKey } = generateKeyPairSync("ed25519", {
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const deviceId = createHash("sha256").update(raw(publicKey)).digest("hex");

const client = new GatewayClient({
  deviceIdentity: { deviceId, publicKeyPem: publicKey, privateKeyPem: privateKey },
  hostDeps: {
    signDevicePayload: (pem, payload) => sign(null, Buffer.from(payload), pem).toString("base64url"),
    publicKeyRawBase64UrlFromPem: (pem) => raw(pem).toString("base64url"),
  },
  url,
  token,
  minProtocol: 4,
  maxProtocol: 4,
  scopes: ["operator.read", "operator.write"],
  onHelloOk: (greeting) => hello.resolve(greeting),
  onConnectError: (error) => hello.reject(error),
  onEvent: ({ event, payload }) => {
    events.push({ event, payload });
    if (event === "chat" && ["final", "error", "aborted"].includes(payload.state)) ended.resolve();
  },
});
client.start();
const greeting = await hello.promise;
const sent = await client.request("chat.send", {
  sessionKey: "talk",
  message,
  idempotencyKey: "said-once",
});
await ended.promise;
const history = await client.request("chat.history", { sessionKey: "talk" });
const refused = await client.request("sessions.delete", { key: "talk" }).catch((error) => ({
  code: error.gatewayCode ?? error.code,
  message: error.message,
}));
client.stop();
clearTimeout(deadline);
console.log(JSON.stringify({ deviceId, greeting, sent, events, history, refused }));
process.exit(0);
