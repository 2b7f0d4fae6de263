import type { ChatMessage, Conversation } from '../conversation.ts';
import type { Writer } from '../writer.ts';
import { growing, opening, scaled, single, times, type Workload } from './workload.ts';

/** Users at a chat: one asks, reads the answer, thinks, asks again. */
function chat(writer: Writer, extent: number): Conversation[] {
  const shared = opening(writer, 2500);
  let startsAt = 0;
  return times(scaled(40, extent), (user) => {
    startsAt += writer.gap(150);
    const steps = times(writer.integer(2, 10), (turn) => {
      const question = writer.user(writer.integer(20, 300));
      if (turn === 0) return [0, [question]] as const;
      const answer = writer.answer(writer.integer(100, 700));
      return [writer.pause(75, 10, 900), [answer, question]] as const;
    });
    return growing(`user ${user}`, startsAt, shared, steps);
  });
}

/** Questions about documents of which none comes twice. */
function documents(writer: Writer, extent: number): Conversation[] {
  const shared = opening(writer, 2000);
  let now = 0;
  return times(scaled(150, extent), (index) => {
    now += writer.gap(25);
    const document = writer.user(writer.integer(2500, 8000));
    const question = writer.text(writer.integer(20, 100));
    const parts = [
      { type: 'text', text: String(document.content) },
      { type: 'text', text: question },
    ];
    return single(`question ${index}`, now, shared, [{ role: 'user', content: parts }]);
  });
}

/** Calls at random times of two days. */
function sparse(writer: Writer, extent: number): Conversation[] {
  const shared = opening(writer, 3000, 2500);
  const dates = times(scaled(80, extent), () => writer.between(0, 2 * 86_400 * extent));
  return dates
    .toSorted((a, b) => a - b)
    .map((now, index) =>
      single(`call ${index}`, now, shared, [writer.user(writer.integer(100, 1200))]),
    );
}

/** Prompts that share nothing. */
function oneShot(writer: Writer, extent: number): Conversation[] {
  let now = 0;
  return times(scaled(150, extent), (index) => {
    now += writer.gap(20);
    const own = opening(writer, writer.integer(500, 4000));
    return single(`prompt ${index}`, now, own, [writer.user(writer.integer(500, 6000))]);
  });
}

/** One call of each tenant, behind the system prompt of all. */
function tenants(writer: Writer, extent: number): Conversation[] {
  const shared = opening(writer, 3500, 2000);
  let now = 0;
  return times(scaled(200, extent), (tenant) => {
    now += writer.gap(20);
    return single(`tenant ${tenant}`, now, shared, [writer.user(writer.integer(200, 2000))]);
  });
}

/** Twenty questions about one document, `spread` seconds apart at most; then the next document. */
function fanOut(spread: number): Workload['make'] {
  return (writer, extent) => {
    const shared = opening(writer, 1500, 2000);
    let now = 0;
    return times(scaled(8, extent), (wave) => {
      now += writer.between(60, 1200);
      const document: ChatMessage = writer.user(writer.integer(8000, 20_000));
      return times(20, (index) =>
        single(`wave ${wave}, ${index}`, now + writer.between(0, spread), shared, [
          document,
          writer.answer(10),
          writer.user(writer.integer(30, 150)),
        ]),
      );
    }).flat();
  };
}

export const SERVICES: readonly Workload[] = [
  { name: 'chat, shared system', goal: 1.15, make: chat },
  { name: 'RAG, unique documents', goal: 1.1, make: documents },
  { name: 'sparse, 40 calls a day', goal: 1.15, make: sparse },
  { name: 'one-shot prompts', goal: 1.05, make: oneShot },
  { name: 'one call per tenant', goal: 1.25, make: tenants },
  { name: 'fan-out, same instant', goal: 1.15, readableAtOnce: true, make: fanOut(0) },
  { name: 'fan-out, within 200 ms', goal: 1.15, readableAtOnce: true, make: fanOut(0.2) },
];
