import type { Call } from '../../call.ts';

/** Runs a step that reads or rewrites a call's body. Whatever it throws, the call is then as if it had not been there. */
export function guarded(call: Call, step: () => void): void {
  const { body, headers, changed, json, draft, prompt, fingerprint } = call;
  try {
    step();
  } catch {
    Object.assign(call, { body, headers, changed, json, draft, prompt, fingerprint });
  }
}
