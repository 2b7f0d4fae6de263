import { ByteQueue, type FlowControl, type ReadResult } from '../http/byte-queue.ts';
import { START, type AnswerLog, type Place } from './answer-log.ts';

/**
 * One reader's way through a shared answer. It holds nothing of its own: what has come is taken from the log when it is asked
 * for, so a reader that is slow, or never reads, keeps nobody waiting.
 */
export class MemberQueue extends ByteQueue {
  readonly #log: AnswerLog;
  readonly #body: { want(): void };
  #place: Place = START;
  /** Reads that wait. */
  #waiting = 0;
  #isOver = false;

  /** `body` is told when this reader waits for more than the log has. Of `flow` only `cancel` is called. */
  constructor(log: AnswerLog, body: { want(): void }, flow: FlowControl) {
    super(flow, Infinity);
    this.#log = log;
    this.#body = body;
  }

  get isWaiting(): boolean {
    return this.#waiting > 0;
  }

  /** What it has read. */
  get place(): Place {
    return this.#place;
  }

  override next(): Promise<ReadResult> {
    if (!this.#isOver) {
      if (this.#place.chunks < this.#log.end.chunks) this.#take();
      else {
        this.#waiting++;
        this.#body.want();
      }
    }
    return super.next();
  }

  /** More has come. */
  wake(): void {
    if (this.#waiting === 0) return;
    this.#waiting--;
    this.#take();
  }

  /** Nothing more comes: it keeps what it has not read, and needs the log no longer. */
  override end(): void {
    if (!this.#isOver) this.#take();
    this.#isOver = true;
    super.end();
  }

  override fail(error: unknown): void {
    this.#isOver = true;
    super.fail(error);
  }

  override stopWaiting(error: unknown): void {
    this.#waiting = 0;
    super.stopWaiting(error);
  }

  override cancel(reason?: unknown): void {
    this.#place = this.#log.end;
    super.cancel(reason);
  }

  #take(): void {
    this.#log.readFrom(this.#place, (chunk) => {
      this.push(chunk);
    });
    this.#place = this.#log.end;
  }
}
