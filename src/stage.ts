import type { Call } from './call.ts';

/** Hands a call to the next stage inside. A stage may call it once, several times or not at all. */
export type Next = (call: Call) => Promise<Response>;

/** One step of the pipeline. It imports no other stage; what it acquires it releases, also on abort. */
export interface Stage {
  readonly name: string;
  handle(call: Call, next: Next): Promise<Response>;
}
