// The `openai` package of npm: responses.
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { PLACE, getWeather, serve } from "./frame.mjs";

const client = (call) => new OpenAI({ ...call.clientOptions, ...call.maxRetries });
const body = (call) => ({ model: call.model, input: call.conversation, ...call.namedUser });
const usageOf = (usage) => ({
  input: usage.input_tokens,
  output: usage.output_tokens,
  cached: usage.input_tokens_details.cached_tokens,
});

await serve({
  async plain(call) {
    const answer = await client(call).responses.create(body(call));
    return { text: answer.output_text, usage: usageOf(answer.usage) };
  },
  async *stream(call) {
    const events = await client(call).responses.create({ ...body(call), stream: true });
    for await (const event of events) {
      if (event.type === "response.output_text.delta") yield event.delta;
      // No more is done with it.
      if (event.type === "response.failed") throw new Error(event.response.error.message);
    }
  },
  async stream_usage(call) {
    const answer = await client(call).responses.stream(body(call)).finalResponse();
    return { usage: usageOf(answer.usage) };
  },
  // It sends all items again, as one does that keeps the conversation itself.
  async tools(call) {
    const tools = [
      { type: "function", name: "get_weather", description: "The weather.", strict: true, parameters: PLACE },
    ];
    const input = [...call.conversation];
    for (;;) {
      const answer = await client(call).responses.create({ ...body(call), input, tools, store: false });
      const wanted = answer.output.filter((item) => item.type === "function_call");
      if (!wanted.length) return { text: answer.output_text };
      input.push(...answer.output);
      for (const item of wanted) {
        const output = getWeather(JSON.parse(item.arguments));
        input.push({ type: "function_call_output", call_id: item.call_id, output });
      }
    }
  },
  async structured(call) {
    const answer = await client(call).responses.parse({
      ...body(call),
      text: { format: zodTextFormat(z.object({ city: z.string(), rain: z.boolean() }), "weather") },
    });
    return { parsed: answer.output_parsed };
  },
  async reasoning(call) {
    const answer = await client(call).responses.create(body(call));
    const thoughts = answer.output.filter((item) => item.type === "reasoning");
    const parts = thoughts.flatMap((item) => [...item.summary, ...(item.content ?? [])]);
    return { text: answer.output_text, reasoning: parts.map((part) => part.text).join("") };
  },
  async image(call) {
    const content = [
      { type: "input_text", text: call.text },
      { type: "input_image", image_url: call.image, detail: "auto" },
    ];
    const answer = await client(call).responses.create({ ...body(call), input: [{ role: "user", content }] });
    return { text: answer.output_text };
  },
});
