// The configuration in force, without its secrets, and what is wrong with what is written.

import { useAsked } from "../parts/asked";
import { Copy } from "../parts/copy";
import { Page } from "../parts/page";

export interface Config {
  path: string;
  exists: boolean;
  config: unknown;
  valid: boolean;
  hash: string;
  issues: { path: string; message: string }[];
  warnings: { path: string; message: string }[];
}

interface Status {
  config: { generation: number; problems: string[]; restartNeeded: string[] };
}

export function ConfigView() {
  const { told, error } = useAsked<Config>("config.get");
  const { told: status } = useAsked<Status>("status");
  const text = told ? JSON.stringify(told.config, null, 2) : "";
  return (
    <Page title="Configuration" error={error} tools={told && <Copy text={() => text} />}>
      {told && (
        <>
          <p class="faint">
            {told.exists ? <code>{told.path}</code> : "There is no file: this is what the gateway started with."} What is
            written there counts within a second.
          </p>
          {told.issues.map((issue) => (
            <p class="wrong" role="alert">
              {issue.message}
            </p>
          ))}
          {status && status.config.restartNeeded.length > 0 && (
            <p class="notice">Counts after a restart: {status.config.restartNeeded.join(", ")}</p>
          )}
          <pre class="document" dir="ltr" tabIndex={0}>
            {text}
          </pre>
          {told.warnings.length > 0 && (
            <details>
              <summary>{told.warnings.length} keys have no effect here</summary>
              <ul>
                {told.warnings.map((warning) => (
                  <li>
                    <code>{warning.path}</code>
                  </li>
                ))}
              </ul>
            </details>
          )}
        </>
      )}
    </Page>
  );
}
