/** What is told of a call in the headers of its answer. */
interface Told {
  readonly id: string;
  readonly queuedMs: number;
}

/** What the router adds to every answer: the call's id, how many requests it took, how long it waited for its turns. */
export function routerHeaders({ id, queuedMs }: Told, attempts: number): Record<string, string> {
  return {
    'x-tokenrouter-id': id,
    'x-tokenrouter-attempts': String(attempts),
    'x-tokenrouter-queue-ms': String(Math.round(queuedMs)),
  };
}
