// The `openai` package of npm: chat completions, with its helpers (`stream`, `runTools`, `parse`).
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { PLACE, getWeather, serve } from "./frame.mjs";

const client = (call) => new OpenAI({ ...call.clientOptions, ...call.maxRetries });
const body = (call) => ({ model: call.model, messages: call.conversation, ...call.namedUser });
const usageOf = (usage) => ({
  input: usage.prompt_tokens,
  output: usage.completion_tokens,
  cached: usage.prompt_tokens_details.cached_tokens,
});

await serve({
  async plain(call) {
    const answer = await client(call).chat.completions.create(body(call));
    return { text: answer.choices[0].message.content, usage: usageOf(answer.usage) };
  },
  async *stream(call) {
    const chunks = await client(call).chat.completions.create({ ...body(call), stream: true });
    for await (const chunk of chunks) if (chunk.choices[0]?.delta.content) yield chunk.choices[0].delta.content;
  },
  async stream_usage(call) {
    const chunks = client(call).chat.completions.stream({
      ...body(call),
      stream_options: { include_usage: true },
    });
    return { usage: usageOf(await chunks.totalUsage()) };
  },
  async tools(call) {
    const runner = client(call).chat.completions.runTools({
      ...body(call),
      stream: true,
      tools: [
        {
          type: "function",
          function: {
            name: "get_weather",
            description: "The weather in a city.",
            parameters: PLACE,
            parse: JSON.parse,
            function: getWeather,
          },
        },
      ],
    });
    return { text: await runner.finalContent() };
  },
  async structured(call) {
    const answer = await client(call).chat.completions.parse({
      ...body(call),
      response_format: zodResponseFormat(z.object({ city: z.string(), rain: z.boolean() }), "weather"),
    });
    return { parsed: answer.choices[0].message.parsed };
  },
  async reasoning(call) {
    const { message } = (await client(call).chat.completions.create(body(call))).choices[0];
    return { text: message.content, reasoning: message.reasoning_content };
  },
  async image(call) {
    const content = [
      { type: "text", text: call.text },
      { type: "image_url", image_url: { url: call.image } },
    ];
    const answer = await client(call).chat.completions.create({
      ...body(call),
      messages: [{ role: "user", content }],
    });
    return { text: answer.choices[0].message.content };
  },
  async embeddings(call) {
    const answer = await client(call).embeddings.create({ model: call.model, input: call.texts });
    return { vectors: answer.data.map((datum) => datum.embedding) };
  },
  async models(call) {
    const ids = [];
    for await (const model of client(call).models.list()) ids.push(model.id);
    return { ids };
  },
});
