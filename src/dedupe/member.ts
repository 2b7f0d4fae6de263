import { Attempt, type Bill, type AttemptEnd, type Call, type Share } from '../call.ts';
import type { ByteQueue, FlowControl } from '../http/byte-queue.ts';
import { LazyResponse, type ResponseHead } from '../http/lazy-response.ts';
import { routerHeaders } from '../http/router-headers.ts';
import type { Next } from '../stage.ts';
import type { AnswerFacts } from '../types.ts';
import type { MemberQueue } from './member-queue.ts';
import { OwnHeaders } from './own-headers.ts';
import type { KeptAnswer } from './response-cache.ts';

/** Why a caller leaves before the end. */
export interface Departure {
  readonly end: AttemptEnd;
  /** As in `Attempt.error`. */
  readonly reason: unknown;
  /** What its promise, or the read under way, rejects with. */
  readonly seen: unknown;
}

/** Where members are. */
export interface MemberHost {
  leave(member: Member, departure: Departure): void;
}

/**
 * One caller's part in an answer that several share: its promise, its response, and the attempt that stands for the shared one
 * in its call until it is known who pays.
 */
export class Member implements Share, FlowControl {
  role: Share['role'] = 'leader';
  leaderId: string | undefined;
  answer: Attempt | undefined;
  bill: Bill | undefined;
  readonly call: Call;
  readonly next: Next;
  /** Number 0: nothing was sent for this call alone. It has no record of its own. */
  readonly standIn: Attempt;
  queue: MemberQueue | undefined;
  #resolve: ((response: Response | Promise<Response>) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  #onAbort: (() => void) | undefined;
  #host: MemberHost | undefined;

  constructor(call: Call, next: Next, now: number) {
    this.call = call;
    this.next = next;
    this.standIn = new Attempt(0, now, call);
    this.standIn.share = this;
    this.standIn.isRecorded = true;
    call.attempts.push(this.standIn);
    // A middleware may come again.
    call.refusal = undefined;
  }

  /** What the host waits for. To be called once. */
  response(): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** From here on the member leaves when its host aborts, cancels the body, or is cut. */
  watch(host: MemberHost): void {
    this.unwatch();
    this.#host = host;
    const { signal } = this.call;
    this.standIn.cut = (error) => {
      const seen = new TypeError('terminated', { cause: error });
      host.leave(this, { end: 'aborted', reason: error, seen });
    };
    if (signal === undefined) return;
    this.#onAbort = () => {
      const reason: unknown = signal.reason;
      host.leave(this, { end: 'aborted', reason, seen: reason });
    };
    signal.addEventListener('abort', this.#onAbort, ONCE);
  }

  unwatch(): void {
    this.standIn.cut = undefined;
    if (this.#onAbort === undefined) return;
    this.call.signal?.removeEventListener('abort', this.#onAbort);
    this.#onAbort = undefined;
  }

  /** Its reader holds nothing back: see `MemberQueue`. */
  pause(): void {}
  resume(): void {}

  /** The host wants no more of the body. */
  cancel(reason: unknown): void {
    this.#host?.leave(this, { end: 'cancelled', reason, seen: reason });
  }

  /** Gives the host its own response over the shared answer. */
  deliver(head: ResponseHead, queue: MemberQueue | undefined): void {
    this.queue = queue;
    this.#respond(head, queue);
  }

  #respond(head: ResponseHead, queue: ByteQueue | undefined): void {
    const { call, role } = this;
    const own: Record<string, string> =
      role === 'leader' ? { 'x-tokenrouter-id': call.id } : routerHeaders(call, 0);
    own['x-tokenrouter-dedupe'] = role;
    const { status, statusText, headers, url, redirected, type } = head;
    const ownHead = {
      status,
      statusText,
      headers: new OwnHeaders(headers, own),
      url,
      redirected,
      type,
    };
    this.resolve(new LazyResponse(ownHead, queue ?? null));
  }

  resolve(response: Response | Promise<Response>): void {
    const resolve = this.#resolve;
    // They hold the promise, and it the response, which must be free to go when its reader drops it.
    this.#resolve = this.#reject = undefined;
    resolve?.(response);
  }

  /** Tells the host, wherever it is, that there is no more. */
  reject(error: unknown): void {
    const reject = this.#reject;
    this.#resolve = this.#reject = undefined;
    reject?.(error);
    this.queue?.fail(error);
  }

  /** Puts what was really sent in the place of the stand-in: this call pays. */
  pay(sent: Call, attempts: readonly Attempt[]): void {
    const { call } = this;
    this.role = 'leader';
    this.leaderId = undefined;
    for (const attempt of attempts) this.#own(attempt);
    this.#replace(attempts);
    call.heldMs = sent.heldMs;
    call.heldSince = sent.heldSince;
    call.queuedMs = sent.queuedMs;
    call.queuedSince = sent.queuedSince;
    call.refusal = sent.refusal;
  }

  /** One more attempt, that ended when the account was settled. */
  payMore(attempt: Attempt): void {
    this.#own(attempt);
    this.call.attempts.push(attempt);
  }

  /** The answer is whole, or failed for everybody, and `leaderId` pays. */
  share(leaderId: string, answer: Attempt, now: number): void {
    this.role = 'follower';
    this.leaderId = leaderId;
    this.answer = answer;
    const { standIn } = this;
    copyHead(answer, standIn);
    standIn.tap = answer.tap;
    standIn.facts = answer.facts;
    standIn.end = answer.end ?? 'complete';
    standIn.endedAt = answer.endedAt ?? now;
    standIn.error = answer.error;
  }

  /** The answer to an earlier call, given once more. */
  replay(kept: KeptAnswer, queue: ByteQueue, now: number): void {
    const { standIn } = this;
    this.role = 'cache';
    this.leaderId = kept.leaderId;
    this.bill = kept.bill;
    standIn.status = kept.head.status;
    standIn.requestId = kept.requestId;
    standIn.facts = kept.facts;
    standIn.headersAt = standIn.firstChunkAt = standIn.endedAt = now;
    standIn.end = 'complete';
    this.#respond(kept.head, queue);
  }

  /** The others stay, and `leaderId` pays. `facts` are those of what had come by then. */
  depart(
    { end, reason }: Departure,
    leaderId: string,
    answer: Attempt | undefined,
    facts: AnswerFacts,
    now: number,
  ): void {
    this.role = 'follower';
    this.leaderId = leaderId;
    const { standIn } = this;
    if (answer !== undefined) copyHead(answer, standIn);
    standIn.facts = facts;
    standIn.end = end;
    standIn.endedAt = now;
    standIn.error = reason;
  }

  /** Nothing was sent, so there is nothing to share an account of. */
  forget(): void {
    this.#replace([]);
  }

  #own(attempt: Attempt): void {
    attempt.share = this;
    attempt.bill = { usd: undefined };
  }

  #replace(attempts: readonly Attempt[]): void {
    const own = this.call.attempts;
    const place = own.indexOf(this.standIn);
    if (place >= 0) own.splice(place, 1, ...attempts);
  }
}

const ONCE = { once: true } as const;

function copyHead(from: Attempt, to: Attempt): void {
  to.status = from.status;
  to.requestId = from.requestId;
  to.header = from.header;
  to.headersAt = from.headersAt;
  to.firstChunkAt = from.firstChunkAt;
}
