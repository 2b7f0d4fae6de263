import type { ChatMessage, Conversation, Turn } from '../conversation.ts';
import type { Writer } from '../writer.ts';
import { agent } from './agents.ts';
import { growing, opening, scaled, single, times, type Workload } from './workload.ts';

/** Every prompt is asked twice: too seldom to be known when it is written, soon enough to be read. */
function seenTwice(gap: (writer: Writer) => number): Workload['make'] {
  return (writer, extent) => {
    let now = 0;
    return times(scaled(60, extent), (pair) => {
      now += writer.gap(40);
      const own = opening(writer, writer.integer(1500, 6000));
      const document = writer.text(writer.integer(500, 2000));
      const ask = (): ChatMessage => ({
        role: 'user',
        content: [
          { type: 'text', text: document },
          { type: 'text', text: writer.text(40) },
        ],
      });
      return [
        single(`pair ${pair} a`, now, own, [ask()]),
        single(`pair ${pair} b`, now + gap(writer), own, [ask()]),
      ];
    }).flat();
  };
}

/** Documents are asked about six times each, until from one moment on each is asked about once. */
function reuseStops(writer: Writer, extent: number): Conversation[] {
  const shared = opening(writer, 600);
  let now = 0;
  const documents = scaled(25, extent);
  const asked = times(documents + 4 * documents, (index) => {
    now += writer.gap(60);
    const document = writer.user(writer.integer(2000, 6000));
    return times(index < documents ? 6 : 1, (question) =>
      single(`document ${index}, ${question}`, now + question * writer.between(15, 45), shared, [
        document,
        writer.answer(10),
        writer.user(50),
      ]),
    );
  });
  return asked.flat();
}

/** Conversations whose next turn always comes when the entry has just expired. */
function justAbove(low: number, high: number): Workload['make'] {
  return (writer, extent) =>
    times(scaled(6, extent), (index) => {
      const steps = times(12, (turn) => {
        const question = writer.user(writer.integer(50, 400));
        if (turn === 0) return [0, [question]] as const;
        return [
          writer.between(low, high),
          [writer.answer(writer.integer(100, 700)), question],
        ] as const;
      });
      const own = opening(writer, writer.integer(2000, 5000));
      return growing(`conversation ${index}`, index * 97, own, steps);
    });
}

function shuffledTools(writer: Writer, extent: number): Conversation[] {
  const shared = opening(writer, 3000, 4000);
  return times(scaled(4, extent), (index) => {
    const ordered = agent(writer, `agent ${index}`, index * 40, shared);
    const turns = ordered.turns.map(({ gap, prompt }): Turn => ({
      gap,
      prompt: { ...prompt, tools: writer.shuffled(prompt.tools) },
      inOrder: prompt,
    }));
    return { ...ordered, turns };
  });
}

/** Puts another text in the place of the message at `index`. */
function withMessage({ gap, prompt }: Turn, index: number, message: ChatMessage): Turn {
  return { gap, prompt: { ...prompt, messages: prompt.messages.with(index, message) } };
}

/** The system prompt says what time it is, to the second. */
function clockInSystem(writer: Writer, extent: number): Conversation[] {
  const shared = opening(writer, 10, 2500);
  const [before, after] = [writer.text(400), writer.text(2500)];
  return times(scaled(4, extent), (index) => {
    const startsAt = index * 300;
    const plain = agent(writer, `agent ${index}`, startsAt, shared);
    let now = Date.UTC(2026, 0, 1) + startsAt * 1000;
    const turns = plain.turns.map((turn) => {
      now += turn.gap * 1000 + 2000;
      const content = `${before}\nNow: ${new Date(now).toISOString()}\n${after}`;
      return withMessage(turn, 0, { role: 'system', content });
    });
    return { ...plain, turns };
  });
}

/** A state that is written anew every turn stands in the first message. */
function stateUpFront(writer: Writer, extent: number): Conversation[] {
  const shared = opening(writer, 2000, 2000);
  return times(scaled(4, extent), (index) => {
    const plain = agent(writer, `agent ${index}`, index * 300, shared);
    const turns = plain.turns.map((turn) => withMessage(turn, 1, writer.user(300)));
    return { ...plain, turns };
  });
}

/** Results older than three turns are cleared, one turn's after the other. */
function clearedResults(writer: Writer, extent: number): Conversation[] {
  const shared = opening(writer, 2000, 2000);
  return times(scaled(4, extent), (index) => {
    const plain = agent(writer, `agent ${index}`, index * 300, shared);
    const turns = plain.turns.map(({ gap, prompt }, turn): Turn => {
      const kept = plain.turns[turn - 3]?.prompt.messages.length ?? 0;
      const messages = prompt.messages.map((message, at) =>
        at < kept && message.role === 'tool' ? { ...message, content: '[cleared]' } : message,
      );
      return { gap, prompt: { ...prompt, messages } };
    });
    return { ...plain, turns };
  });
}

/** Prompts of `low` to `high` tokens that share most of it, at the edge of what the provider keeps at all. */
function around(low: number, high: number): Workload['make'] {
  return (writer, extent) => {
    let now = 0;
    const shared = opening(writer, low - 60);
    return times(scaled(150, extent), (index) => {
      now += writer.gap(20);
      const question = writer.user(writer.integer(60, high - low + 60));
      return single(`prompt ${index}`, now, shared, [question]);
    });
  };
}

/** A shared system prompt that is only just long enough to be kept. */
function shortSystem(writer: Writer, extent: number): Conversation[] {
  let now = 0;
  const shared = opening(writer, 1050);
  return times(scaled(150, extent), (index) => {
    now += writer.gap(20);
    return single(`prompt ${index}`, now, shared, [writer.user(writer.integer(100, 1000))]);
  });
}

export const ADVERSARIES: readonly Workload[] = [
  { name: 'seen twice, soon', goal: 1.25, make: seenTwice((writer) => writer.between(10, 240)) },
  {
    name: 'seen twice, some late',
    goal: 1.25,
    make: seenTwice((writer) => writer.pause(300, 5, 7200)),
  },
  { name: 'reuse stops', goal: 1.25, make: reuseStops },
  { name: 'gaps just above 5 min', goal: 1.25, make: justAbove(299, 330) },
  { name: 'gaps just above 1 h', goal: 1.25, make: justAbove(3599, 3900) },
  { name: 'shuffled tools', goal: 1.25, make: shuffledTools },
  { name: 'clock in the system prompt', goal: 1.25, make: clockInSystem },
  { name: 'state in the first message', goal: 1.25, make: stateUpFront },
  { name: 'old results cleared', goal: 1.25, make: clearedResults },
  { name: 'just under the minimum', goal: 1.25, make: around(930, 1010) },
  { name: 'just over the minimum', goal: 1.25, make: around(1050, 1150) },
  { name: 'system just over the minimum', goal: 1.25, make: shortSystem },
];
