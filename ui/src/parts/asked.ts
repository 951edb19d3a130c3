// An answer of the gateway for a view: asked for when the view comes up and after a lost connection.

import { useCallback, useEffect, useState } from "preact/hooks";
import { call, phase } from "../connection/gateway";

export interface Asked<T> {
  told: T | null;
  error: string;
  again: () => void;
}

export function useAsked<T>(method: string, params: unknown = {}): Asked<T> {
  const [told, setTold] = useState<T | null>(null);
  const [error, setError] = useState("");
  const [times, setTimes] = useState(0);
  const question = JSON.stringify(params);
  const isOpen = phase.value === "open";
  useEffect(() => {
    if (!isOpen) return;
    let wanted = true;
    call<T>(method, JSON.parse(question)).then(
      (answer) => {
        if (!wanted) return;
        setTold(answer);
        setError("");
      },
      (reason: Error) => wanted && setError(reason.message),
    );
    return () => {
      wanted = false;
    };
  }, [method, question, isOpen, times]);
  const again = useCallback(() => setTimes((count) => count + 1), []);
  return { told, error, again };
}
