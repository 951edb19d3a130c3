// The door: the gateway's token, kept for this tab.

import { useState } from "preact/hooks";
import { address, phase, signIn, signOut, trouble } from "../connection/gateway";

export function SignIn() {
  const [secret, write] = useState("");
  const isTrying = phase.value !== "out";
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    signIn(secret.trim());
  };
  return (
    <main class="door">
      <form onSubmit={onSubmit}>
        <h1>openclaw-gateway</h1>
        <p class="faint">{address.http}</p>
        {isTrying ? (
          <>
            <p role="status">{trouble.value || "Connecting."}</p>
            <button type="button" class="quiet" onClick={() => signOut()}>
              Cancel
            </button>
          </>
        ) : (
          <>
            <label for="token">Token</label>
            <input
              id="token"
              type="password"
              autocomplete="current-password"
              spellcheck={false}
              value={secret}
              onInput={(event) => write(event.currentTarget.value)}
              aria-describedby="token-help"
              aria-invalid={trouble.value !== ""}
              autofocus
            />
            {trouble.value && (
              <p class="wrong" role="alert">
                {trouble.value}
              </p>
            )}
            <button type="submit" class="main">
              Sign in
            </button>
            <p id="token-help" class="faint">
              The terminal showed it at the start; <code>gateway.auth</code> in the configuration has it. It stays in
              this tab and is forgotten when you close it. Where the gateway asks for none, leave the field empty.
            </p>
          </>
        )}
      </form>
    </main>
  );
}
