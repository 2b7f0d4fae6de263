import type { FlowControl } from '../http/byte-queue.ts';
import { LazyResponse } from '../http/lazy-response.ts';
import { AnswerLog } from './answer-log.ts';
import { MemberQueue } from './member-queue.ts';

/** Who is told what becomes of a body. */
export interface BodyOwner {
  /** More has come than is kept for those who might still join. Called again with every further chunk. */
  onLong(): void;
  /** A reader is so far behind that nothing more is kept for it. */
  onSlow(queue: MemberQueue): void;
  /** All readers have, or can get, everything. */
  onEnd(): void;
  onBroken(error: unknown): void;
}

/** What is used of a reader of a response's body. */
interface Source {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
  cancel(reason: unknown): Promise<void>;
}

/**
 * One body for any number of readers. It is read on when a reader waits for bytes that nobody has seen yet, so the fastest
 * decides; what has been read is kept for the others, and from `maxBufferBytes` on only for as long as somebody needs it.
 */
export class SharedBody {
  readonly #owner: BodyOwner;
  readonly #maxBufferBytes: number;
  readonly #source: Source | undefined;
  readonly #log = new AnswerLog();
  readonly #queues = new Set<MemberQueue>();
  #isReading = false;
  #isDraining = false;
  #isOver = false;

  /** `isHere`: every byte has come already. */
  constructor(response: Response, isHere: boolean, maxBufferBytes: number, owner: BodyOwner) {
    this.#owner = owner;
    this.#maxBufferBytes = maxBufferBytes;
    if (BODYLESS.has(response.status)) return;
    // A stream around an answer that came in one piece, as short ones do, costs 9 us.
    const isPiece = isHere && response instanceof LazyResponse;
    this.#source = isPiece ? new WholeBody(response) : response.body?.getReader();
  }

  /** What has come and is not forgotten. */
  get chunks(): readonly Uint8Array[] {
    return this.#log.chunks;
  }

  /** Whether the first byte is still there. */
  get isWhole(): boolean {
    return this.#log.isWhole;
  }

  /** One more reader, from the first byte on; `undefined` when the answer has no body. */
  open(flow: FlowControl): MemberQueue | undefined {
    if (this.#source === undefined) return undefined;
    const queue = new MemberQueue(this.#log, this, flow);
    this.#queues.add(queue);
    return queue;
  }

  /** A reader has left. */
  remove(queue: MemberQueue): void {
    this.#queues.delete(queue);
  }

  /** A reader waits for more than has come. */
  want(): void {
    if (!this.#isReading && !this.#isOver) void this.#readOn();
  }

  /** Nothing more comes from outside: what is left is read to the end, whether or not somebody waits. */
  drain(): void {
    this.#isDraining = true;
    if (this.#source === undefined) this.#end();
    else this.want();
  }

  cancel(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#log.clear();
    this.#source?.cancel(reason).catch(() => {});
  }

  async #readOn(): Promise<void> {
    const source = this.#source;
    if (source === undefined) return;
    this.#isReading = true;
    try {
      do {
        const { value } = await source.read();
        if (this.#isOver) return;
        if (value === undefined) {
          this.#end();
          return;
        }
        this.#take(value);
      } while (this.#isWanted());
    } catch (error) {
      this.#break(error);
    } finally {
      this.#isReading = false;
    }
  }

  #isWanted(): boolean {
    if (this.#isOver) return false;
    if (this.#isDraining) return true;
    for (const { isWaiting } of this.#queues) if (isWaiting) return true;
    return false;
  }

  #take(chunk: Uint8Array): void {
    this.#log.append(chunk);
    for (const queue of this.#queues) queue.wake();
    if (this.#log.end.size > this.#maxBufferBytes) this.#shorten();
  }

  #shorten(): void {
    this.#owner.onLong();
    const { end } = this.#log;
    let first = end;
    for (const queue of this.#queues) {
      // What is left of an answer that has ended is little, and nobody has to be quick about it.
      const isSlow = end.size - queue.place.size > this.#maxBufferBytes && !this.#isDraining;
      if (isSlow) this.#owner.onSlow(queue);
      else if (queue.place.chunks < first.chunks) first = queue.place;
    }
    this.#log.forgetBefore(first);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const queue of this.#queues) queue.end();
    this.#owner.onEnd();
    this.#log.clear();
  }

  #break(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const queue of this.#queues) queue.fail(error);
    this.#owner.onBroken(error);
    this.#log.clear();
  }
}

const BODYLESS: ReadonlySet<number> = new Set([204, 205, 304]);

class WholeBody implements Source {
  #response: Response | undefined;

  constructor(response: Response) {
    this.#response = response;
  }

  async read(): ReturnType<Source['read']> {
    const response = this.#response;
    this.#response = undefined;
    if (response === undefined) return { done: true };
    return { done: false, value: new Uint8Array(await response.arrayBuffer()) };
  }

  cancel(): Promise<void> {
    return Promise.resolve();
  }
}
