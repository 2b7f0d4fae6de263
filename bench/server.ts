import { createServer, type Server, type Socket } from 'node:net';
import {
  chatAnswer,
  chatStream,
  messagesAnswer,
  messagesStream,
  type HttpAnswer,
  type HttpStream,
} from './inputs/answers.ts';

/**
 * The provider of the loopback measurements: HTTP/1.1 by hand on a bare socket, with answers that were serialised
 * beforehand, so that it never is what limits a client. It runs in a process of its own and its CPU time is not counted.
 *
 * The first segment of the path says how the answer comes: `/json` whole, `/burst` as a stream in one write, `/paced-<ms>`
 * as a stream of one frame every so many milliseconds.
 */
export async function startBenchServer(): Promise<{ origin: string; server: Server }> {
  const server = createServer({ noDelay: true }, (socket) => {
    void new Connection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return { origin: `http://127.0.0.1:${address.port}`, server };
}

const HEAD_END = Buffer.from('\r\n\r\n');
const INCLUDE_USAGE = Buffer.from('"include_usage":true');

class Connection {
  readonly #socket: Socket;
  #parts: Buffer[] = [];
  #size = 0;
  #path = '';
  /** Of head and body together; 0 while the head is incomplete. */
  #expected = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('close', () => clearInterval(this.#timer));
    // A client that is done may reset its connections.
    socket.on('error', () => {});
  }

  #read(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#size += chunk.length;
    if (this.#expected === 0) this.#readHead();
    if (this.#expected === 0 || this.#size < this.#expected) return;
    const request = Buffer.concat(this.#parts, this.#size);
    this.#parts = [];
    this.#size = 0;
    this.#expected = 0;
    this.#answer(request);
  }

  #readHead(): void {
    const start = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
    const end = start.indexOf(HEAD_END);
    if (end < 0) return;
    const head = start.toString('latin1', 0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined) throw new Error('The bench server takes bodies with a length only.');
    this.#path = head.slice(head.indexOf(' ') + 1, head.indexOf(' ', head.indexOf(' ') + 1));
    this.#expected = end + HEAD_END.length + Number(length);
  }

  #answer(request: Buffer): void {
    const isChat = this.#path.endsWith('/chat/completions');
    const mode = this.#path.slice(1, this.#path.indexOf('/', 1));
    if (mode === 'json') {
      this.#socket.write(isChat ? WHOLE.chat : WHOLE.messages);
      return;
    }
    const asked = request.includes(INCLUDE_USAGE);
    const stream = isChat ? (asked ? STREAMS.chatWithUsage : STREAMS.chat) : STREAMS.messages;
    if (mode === 'burst') this.#socket.write(stream.all);
    else this.#pace(stream.writes, Number(mode.slice('paced-'.length)));
  }

  #pace(writes: readonly Buffer[], everyMs: number): void {
    let next = 0;
    const write = (): void => {
      this.#socket.write(writes[next++]!);
      if (next === writes.length) clearInterval(this.#timer);
    };
    this.#timer = setInterval(write, everyMs);
    write();
  }
}

function whole({ headers, body }: HttpAnswer): Buffer {
  return Buffer.concat([head({ ...headers, 'content-length': String(body.length) }), body]);
}

/** The head goes with the first frame and the end of the body with the last, as they do from a real server. */
function streamed({ headers, frames }: HttpStream): { writes: Buffer[]; all: Buffer } {
  const writes = frames.map((frame) =>
    Buffer.concat([Buffer.from(`${frame.length.toString(16)}\r\n`), frame, Buffer.from('\r\n')]),
  );
  writes[0] = Buffer.concat([head({ ...headers, 'transfer-encoding': 'chunked' }), writes[0]!]);
  writes.push(Buffer.concat([writes.pop()!, Buffer.from('0\r\n\r\n')]));
  return { writes, all: Buffer.concat(writes) };
}

function head(headers: Readonly<Record<string, string>>): Buffer {
  // Clients wait for each other between their slices; none is to open its connections anew each time.
  const all = { ...headers, 'keep-alive': 'timeout=600' };
  const fields = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`HTTP/1.1 200 OK\r\n${fields.join('')}\r\n`, 'latin1');
}

const WHOLE = { chat: whole(chatAnswer()), messages: whole(messagesAnswer()) };

const STREAMS = {
  chat: streamed(chatStream(false)),
  chatWithUsage: streamed(chatStream(true)),
  messages: streamed(messagesStream()),
};
