// What is pasted into each client. BASE is this gateway's address without /v1, TOKEN its token.
// The settings are those of docs/connect, which says what was tried and what to watch; a test compares them.

export interface Client {
  name: string;
  kind: "Chat" | "Code" | "Automation" | "Programs";
  /** Where it is written or run. */
  where: string;
  text: string;
  /** The key of the configuration without which it is not answered. */
  needs?: "responses" | "messages";
}

export const BASE = "http://127.0.0.1:18789";
export const TOKEN = "YOUR_TOKEN";
export const VARIABLE = '"$OPENCLAW_GATEWAY_TOKEN"';

export const CLIENTS: Client[] = [
  {
    name: "curl",
    kind: "Programs",
    where: "In a terminal",
    text: `curl -N ${BASE}/v1/chat/completions \\
  -H 'Authorization: Bearer ${TOKEN}' -H 'Content-Type: application/json' \\
  -d '{"model":"openclaw","stream":true,"messages":[{"role":"user","content":"hi"}]}'`,
  },
  {
    name: "openai for Python",
    kind: "Programs",
    where: "pip install openai",
    text: `from openai import OpenAI

client = OpenAI(base_url="${BASE}/v1", api_key="${TOKEN}")
answer = client.chat.completions.create(
    model="openclaw", user="ada", messages=[{"role": "user", "content": "hi"}]
)
print(answer.choices[0].message.content)`,
  },
  {
    name: "LangChain",
    kind: "Programs",
    where: "pip install langchain-openai",
    text: `from langchain_openai import ChatOpenAI, OpenAIEmbeddings

model = ChatOpenAI(
    model="openclaw", base_url="${BASE}/v1", api_key="${TOKEN}", stream_usage=True
)`,
  },
  {
    name: "AI SDK",
    kind: "Programs",
    where: "npm install @ai-sdk/openai-compatible",
    text: `import { createOpenAICompatible } from "@ai-sdk/openai-compatible";

const openclaw = createOpenAICompatible({
  name: "openclaw",
  baseURL: "${BASE}/v1",
  apiKey: process.env.OPENCLAW_GATEWAY_TOKEN,
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const model = openclaw("openclaw");`,
  },
  {
    name: "Open WebUI",
    kind: "Chat",
    where: "In its environment, or Admin Panel → Settings → Connections",
    text: `OPENAI_API_BASE_URL=${BASE}/v1
OPENAI_API_KEY=${TOKEN}
ENABLE_FORWARD_USER_INFO_HEADERS=true`,
  },
  {
    name: "LibreChat",
    kind: "Chat",
    where: "librechat.yaml",
    text: `version: 1.2.1
endpoints:
  custom:
    - name: OpenClaw
      apiKey: "\${OPENCLAW_GATEWAY_TOKEN}"
      baseURL: ${BASE}/v1
      models:
        default: [openclaw]
        fetch: true
      titleConvo: true
      titleModel: openclaw
      modelDisplayLabel: OpenClaw
      dropParams: [user]`,
  },
  {
    name: "Claude Code",
    kind: "Code",
    where: "In a terminal",
    needs: "messages",
    text: `export ANTHROPIC_BASE_URL=${BASE}
export ANTHROPIC_AUTH_TOKEN=${VARIABLE}
export ANTHROPIC_MODEL=openclaw
export ANTHROPIC_DEFAULT_HAIKU_MODEL=openclaw
claude`,
  },
  {
    name: "Codex CLI",
    kind: "Code",
    where: "~/.codex/config.toml",
    needs: "responses",
    text: `model = "openclaw"
model_provider = "openclaw"

[model_providers.openclaw]
name = "OpenClaw"
base_url = "${BASE}/v1"
env_key = "OPENCLAW_GATEWAY_TOKEN"
wire_api = "responses"`,
  },
  {
    name: "opencode",
    kind: "Code",
    where: "opencode.json",
    text: `{
  "$schema": "https://opencode.ai/config.json",
  "provider": {
    "openclaw": {
      "npm": "@ai-sdk/openai-compatible",
      "name": "OpenClaw",
      "options": {"baseURL": "${BASE}/v1", "apiKey": "{env:OPENCLAW_GATEWAY_TOKEN}"},
      "models": {"openclaw": {"name": "OpenClaw", "tool_call": true, "limit": {"context": 128000, "output": 8192}}}
    }
  },
  "model": "openclaw/openclaw"
}`,
  },
  {
    name: "Cline",
    kind: "Code",
    where: "Settings → API Provider: OpenAI Compatible",
    text: `Base_URL=${BASE}/v1
API_Key=${TOKEN}
Model_ID=openclaw`,
  },
  {
    name: "Continue",
    kind: "Code",
    where: "~/.continue/config.yaml",
    text: `name: OpenClaw
version: 1.0.0
schema: v1
models:
  - name: OpenClaw
    provider: openai
    model: openclaw
    apiBase: ${BASE}/v1
    apiKey: ${TOKEN}
    roles: [chat, edit, apply]
    capabilities: [tool_use, image_input]`,
  },
  {
    name: "Zed",
    kind: "Code",
    where: "settings.json",
    text: `{
  "language_models": {
    "openai_compatible": {
      "openclaw": {
        "api_url": "${BASE}/v1",
        "available_models": [
          {"name": "openclaw", "display_name": "OpenClaw", "max_tokens": 128000,
           "capabilities": {"tools": true, "images": true, "parallel_tool_calls": true, "prompt_cache_key": false}}
        ]
      }
    }
  }
}`,
  },
  {
    name: "aider",
    kind: "Code",
    where: "In a terminal",
    text: `export OPENAI_API_BASE=${BASE}/v1
export OPENAI_API_KEY=${VARIABLE}
aider --model openai/openclaw`,
  },
  {
    name: "Home Assistant",
    kind: "Automation",
    where: "Extended OpenAI Conversation, the fields of its dialogue",
    text: `API_Key=${TOKEN}
Base_Url=${BASE}/v1
Skip_Authentication=true`,
  },
];
