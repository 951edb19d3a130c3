// OpenClaw's own client over the address and token it is given: it lets itself in, says something, hears the run,
// and reads what was said. Prints one JSON object. Ends with an error where anything does not come.
import { GatewayClient } from "@openclaw/gateway-client";

const [url, token, message] = process.argv.slice(2);
const deadline = setTimeout(() => {
  console.error(`nothing more came; so far: ${JSON.stringify(events)}`);
  process.exit(1);
}, 20000);
const events = [];
const hello = Promise.withResolvers();
const ended = Promise.withResolvers();

const client = new GatewayClient({
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
console.log(JSON.stringify({ greeting, sent, events, history, refused }));
process.exit(0);
