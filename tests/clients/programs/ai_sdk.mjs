// The AI SDK over one of its providers, named by the first argument: "compatible" is
// @ai-sdk/openai-compatible, "openai" is @ai-sdk/openai as it is (responses), "openai-chat" its `.chat()`.
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { Output, embedMany, generateText, isStepCount, jsonSchema, streamText, tool } from "ai";
import { PLACE, WEATHER, getWeather, serve } from "./frame.mjs";

const kind = process.argv[2];
globalThis.AI_SDK_LOG_WARNINGS = false;

function provider(call) {
  if (kind !== "compatible") return createOpenAI(call.clientOptions);
  return createOpenAICompatible({
    ...call.clientOptions,
    name: "openclaw",
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
}

function model(call) {
  return kind === "openai-chat" ? provider(call).chat(call.model) : provider(call)(call.model);
}

function fields(call) {
  const options = { [kind === "compatible" ? "openclaw" : "openai"]: call.namedUser };
  return { model: model(call), messages: call.conversation, providerOptions: options, ...call.maxRetries };
}

const usageOf = (usage) => ({
  input: usage.inputTokens,
  output: usage.outputTokens,
  cached: usage.inputTokenDetails?.cacheReadTokens,
});

async function* stream(call) {
  const leaves = new AbortController();
  const said = streamText({ ...fields(call), abortSignal: leaves.signal, onError: () => {} });
  try {
    for await (const part of said.fullStream) {
      if (part.type === "text-delta") yield part.text;
      if (part.type === "error") throw part.error;
    }
  } finally {
    leaves.abort();
  }
}

await serve({
  stream,
  async plain(call) {
    const answer = await generateText(fields(call));
    return { text: answer.text, usage: usageOf(answer.usage) };
  },
  async stream_usage(call) {
    const said = streamText(fields(call));
    await said.consumeStream();
    return { usage: usageOf(await said.usage) };
  },
  async tools(call) {
    const get_weather = tool({
      description: "The weather in a city.",
      inputSchema: jsonSchema(PLACE),
      execute: getWeather,
    });
    const said = streamText({ ...fields(call), tools: { get_weather }, stopWhen: isStepCount(5) });
    return { text: await said.text };
  },
  async structured(call) {
    const output = Output.object({ schema: jsonSchema(WEATHER), name: "weather" });
    return { parsed: (await generateText({ ...fields(call), output })).output };
  },
  async reasoning(call) {
    const answer = await generateText(fields(call));
    return { text: answer.text, reasoning: answer.reasoningText };
  },
  async image(call) {
    const image = new Uint8Array(Buffer.from(call.image.split(",")[1], "base64"));
    const content = [
      { type: "text", text: call.text },
      { type: "image", image },
    ];
    return { text: (await generateText({ ...fields(call), messages: [{ role: "user", content }] })).text };
  },
  async embeddings(call) {
    const made = provider(call);
    const by = made.embeddingModel ?? made.textEmbeddingModel;
    return { vectors: (await embedMany({ model: by(call.model), values: call.texts })).embeddings };
  },
});
