// What frame.py is to the Python programs. `stream` is an async generator of the pieces of text; the other
// functions return what they saw.
import readline from "node:readline";

export const getWeather = ({ city }) => `rain in ${city}`;

export const WEATHER = {
  type: "object",
  properties: { city: { type: "string" }, rain: { type: "boolean" } },
  required: ["city", "rain"],
  additionalProperties: false,
};

export const PLACE = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};

// As frame.py's Call.
function callOf(task) {
  const call = { model: "openclaw", text: "hi", retries: 0, ...task };
  const options = { baseURL: call.base_url, apiKey: call.api_key };
  return {
    ...call,
    conversation: call.messages?.length ? call.messages : [{ role: "user", content: call.text }],
    clientOptions: options,
    maxRetries: call.retries === null ? {} : { maxRetries: call.retries },
    namedUser: call.user ? { user: call.user } : {},
  };
}

// Its status, wherever in the chain a client keeps it.
function told(error) {
  const chain = [];
  for (let at = error; at && chain.length < 8; at = at.cause ?? at.lastError) chain.push(at);
  const statuses = chain.map((each) => each.status ?? each.statusCode);
  return {
    kind: error?.name ?? typeof error,
    status: statuses.find((status) => typeof status === "number") ?? null,
    message: error?.message ?? JSON.stringify(error),
  };
}

async function read(pieces, stream, most) {
  for await (const piece of stream) {
    pieces.push(piece);
    if (pieces.length === most) return; // which ends the generator
  }
}

export async function serve(functions) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { do: name, ...task } = JSON.parse(line);
    const does = functions[name === "cancel" ? "stream" : name];
    let seen = {};
    try {
      if (!does) seen = { absent: true };
      else if (name === "stream" || name === "cancel") {
        seen = { pieces: [] };
        await read(seen.pieces, does(callOf(task)), name === "cancel" ? 1 : undefined);
      } else seen = await does(callOf(task));
    } catch (error) {
      seen.error = told(error);
    }
    process.stdout.write(`saw ${JSON.stringify(seen)}\n`);
  }
}
