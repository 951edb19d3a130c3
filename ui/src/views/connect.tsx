// What to paste where, with this gateway's own address. The token is put in on the way to the clipboard only.

import { address, token } from "../connection/gateway";
import { useAsked } from "../parts/asked";
import { Copy } from "../parts/copy";
import { Page } from "../parts/page";
import { BASE, CLIENTS, TOKEN, VARIABLE, type Client } from "./snippets";

interface Config {
  config: { gateway?: { http?: { endpoints?: Record<string, { enabled?: boolean }> } } };
}

const KINDS: Client["kind"][] = ["Chat", "Code", "Programs", "Automation"];

export function ConnectView() {
  const { told } = useAsked<Config>("config.get");
  const endpoints = told?.config.gateway?.http?.endpoints ?? {};
  const isOn = (name: string) => endpoints[name]?.enabled === true;
  return (
    <Page title="Connect">
      <dl class="figures plain">
        <div>
          <dt>Base URL</dt>
          <dd>
            <code>{address.http}/v1</code> <Copy text={() => `${address.http}/v1`} />
          </dd>
        </div>
        <div>
          <dt>Model</dt>
          <dd>
            <code>openclaw</code> or <code>openclaw/agent</code>
          </dd>
        </div>
        <div>
          <dt>API key</dt>
          <dd>this gateway's token {token() && <Copy text={token} />}</dd>
        </div>
      </dl>
      {told && !isOn("chatCompletions") && <Off name="chatCompletions" />}
      {KINDS.map((kind) => (
        <section>
          <h2>{kind}</h2>
          {CLIENTS.filter((client) => client.kind === kind).map((client) => (
            <Snippet key={client.name} client={client} isOff={told !== null && client.needs !== undefined && !isOn(client.needs)} />
          ))}
        </section>
      ))}
    </Page>
  );
}

function Snippet({ client, isOff }: { client: Client; isOff: boolean }) {
  const text = client.text.replaceAll(BASE, address.http);
  const whole = () => withToken(text, token());
  return (
    <details class="client">
      <summary>
        <b>{client.name}</b> <span class="faint">{client.where}</span>
      </summary>
      {isOff && client.needs && <Off name={client.needs} />}
      <div class="snippet">
        <Copy text={whole} label="Copy with the token" />
        <pre dir="ltr" tabIndex={0}>
          {text}
        </pre>
      </div>
    </details>
  );
}

// By functions: in a text that replaces, `$&` would mean what it takes the place of.
function withToken(text: string, secret: string): string {
  if (secret === "") return text;
  const quoted = `'${secret.replaceAll("'", () => "'\\''")}'`;
  return text.replaceAll(VARIABLE, () => quoted).replaceAll(TOKEN, () => secret);
}

function Off({ name }: { name: string }) {
  return (
    <p class="notice">
      This needs <code>gateway.http.endpoints.{name}.enabled: true</code> in the configuration.
    </p>
  );
}
