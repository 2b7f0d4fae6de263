/**
 * One request, and everybody who waits for its answer.
 *
 * Who owns what
 * - The flight owns the request: a fork of the call that came first, with an abort signal and a list of attempts of its own.
 *   Nobody's abort reaches it. It owns the log of the answer's bytes, the one read of the answer that is under way, and its
 *   place in the map of flights, which it gives up as soon as nobody may join any more.
 * - A member owns its caller's side: the promise, the response, the reader's place in the log, the listener on the caller's
 *   signal, and the stand-in for the shared attempt in its call.
 * - The holder is the member that came first of those that are still there. Its call pays: it gets the attempts when
 *   nothing can change that any more, so a holder that leaves hands nothing over.
 *
 * What always holds
 * - The request is aborted when its last member leaves, and never before.
 * - Every attempt is in the records of exactly one call; the costs of all records add up to what was paid.
 * - The answer is read only when a member waits for bytes that nobody has read yet. So the fastest reader decides, and what
 *   is not asked for waits where it always does: in the transport's queue, which stops the connection at 128 KB.
 * - Everybody gets the bytes from the first one on. They are in the log once, for those who lag and those who may still
 *   join. Past `maxBufferBytes` nobody may join any more, and what all have read is forgotten; a member that is further
 *   behind than that is cut off (`ERR_SLOW_READER`), so the log never holds more than that and one chunk.
 * - Once the request has ended nobody may join: who comes then asks anew, or the response cache. What is left of the
 *   answer, 128 KB at most, then goes to all members, and the flight is over.
 *
 * What leaving does (an abort, a cut, a cancelled body, a reader too slow)
 * - Before the head: the member's promise rejects with its own reason. The others wait on; the next is the holder.
 * - In mid-body: its reader fails or ends. The others read on.
 * - With others there, its record says so at once, and that it paid nothing. The last to go takes the request with it.
 * - After the request's end: it loses what it has not read. The accounts are settled already.
 *
 * How it can end
 * - An answer of any status, or a failure: the router has tried what may help, so everybody shares it.
 * - An answer that is all there when its head is, and that nobody has joined, goes to its caller as it is: most do.
 * - A refusal because the first call's deadline has come, or one of its budgets is spent, is that call's own. The others start over
 *   together.
 * - An answer that is no real `Response` cannot be shared. It is the holder's; the others go on alone.
 */
import type { Attempt, Call } from '../call.ts';
import { RouterError, type RouterErrorCode } from '../errors.ts';
import { addHeader } from '../http/lazy-headers.ts';
import { LazyResponse, type ResponseHead } from '../http/lazy-response.ts';
import type { Clock, Priority } from '../types.ts';
import { factsSoFar } from './facts-so-far.ts';
import type { Question } from './key.ts';
import type { MemberQueue } from './member-queue.ts';
import type { Departure, Member, MemberHost } from './member.ts';
import { SharedBody, type BodyOwner } from './shared-body.ts';

export interface FlightOwner {
  readonly clock: Clock;
  readonly maxBufferBytes: number;
  /** Whether `onWhole` is of use. */
  readonly keepsAnswers: boolean;
  /** Nobody may join any more. Called once. */
  onClosed(flight: Flight): void;
  /** These have to be asked for once more. Never empty. */
  onStartOver(flight: Flight, members: readonly Member[]): void;
  /** All of an answer is there, and nothing of it is forgotten. */
  onWhole(flight: Flight, whole: WholeAnswer): void;
}

export interface WholeAnswer {
  readonly head: ResponseHead;
  readonly chunks: readonly Uint8Array[];
  /** It has ended. */
  readonly answer: Attempt;
  readonly payer: Call;
}

export class Flight implements MemberHost, BodyOwner {
  readonly question: Question;
  readonly #owner: FlightOwner;
  /** In the order in which they came: the first is the holder. */
  readonly #members = new Set<Member>();
  readonly #abort = new AbortController();
  readonly #call: Call;
  /** How many attempts the first call had made before. */
  readonly #before: number;
  #isOpen = true;
  #head: ResponseHead | undefined;
  #body: SharedBody | undefined;
  /** The attempt that answered. */
  #answer: Attempt | undefined;
  /** Who pays, once nothing changes that any more. */
  #payer: Member | undefined;

  constructor(question: Question, first: Member, owner: FlightOwner) {
    this.question = question;
    this.#owner = owner;
    this.#call = first.call.fork(this.#abort.signal);
    this.#before = this.#call.attempts.length;
    this.#call.onAttemptEnd = (attempt) => {
      this.#attemptEnded(attempt);
    };
    this.join(first);
  }

  get size(): number {
    return this.#members.size;
  }

  /** Sends the request, by the way that a member was going. */
  async start({ next }: Member): Promise<void> {
    try {
      this.#answered(await next(this.#call));
    } catch (error) {
      this.#failed(error);
    }
  }

  join(member: Member): void {
    member.watch(this);
    this.#members.add(member);
    member.role = this.#members.size === 1 ? 'leader' : 'follower';
    if (this.#head === undefined) this.#hurry(member.call.context.priority);
    else this.#deliver(member, this.#head);
  }

  /** A request is as urgent as the most urgent of those who wait for it. */
  #hurry(priority: Priority): void {
    const { context } = this.#call;
    if (URGENCY[priority] <= URGENCY[context.priority]) return;
    this.#call.context = { ...context, priority };
    this.#call.onHurry?.();
  }

  // ---- the answer ----------------------------------------------------------------------------------------------------

  #answered(response: Response): void {
    const [holder, ...others] = this.#members;
    if (holder === undefined) {
      void discard(response);
      return;
    }
    if (!isShareable(response)) {
      this.#giveAway(response, holder, others);
      return;
    }
    if (isItsOwn(this.#call.refusal) && others.length > 0) this.#startOver(others);
    holder.role = 'leader';
    const { status, statusText, headers, url, redirected, type } = response;
    this.#head = { status, statusText, headers, url, redirected, type };
    const number = Number(headers.get('x-tokenrouter-attempts'));
    // A stage inside may have several under way.
    const sent = this.#sent();
    this.#answer = sent.findLast((attempt) => attempt.number === number) ?? sent.at(-1);
    const isHere = this.#answer?.end === 'complete';
    if (isHere && others.length === 0 && this.#handOver(response, holder)) return;
    this.#body = new SharedBody(response, isHere, this.#owner.maxBufferBytes, this);
    for (const member of this.#members) this.#deliver(member, this.#head);
    if (this.#answer === undefined || this.#answer.end !== undefined) this.#settle();
  }

  /** Nobody has joined, and now nobody can: the answer, all of it here, needs nothing around it. */
  #handOver(response: Response, holder: Member): boolean {
    if (this.#owner.keepsAnswers || holder.call.id !== this.#call.id) return false;
    addHeader(response.headers, 'x-tokenrouter-dedupe', 'leader');
    this.#settle();
    this.#members.clear();
    holder.resolve(response);
    return true;
  }

  #deliver(member: Member, head: ResponseHead): void {
    member.deliver(head, this.#body?.open(member));
  }

  onLong(): void {
    this.#close();
  }

  onSlow(queue: MemberQueue): void {
    const reason = new RouterError(
      'ERR_SLOW_READER',
      `The answer is shared with faster readers, and this one was more than ${this.#owner.maxBufferBytes} bytes behind.`,
    );
    const seen = new TypeError('terminated', { cause: reason });
    for (const member of this.#members) {
      if (member.queue === queue) this.leave(member, { end: 'slow', reason, seen });
    }
  }

  // ---- ends ----------------------------------------------------------------------------------------------------------

  #attemptEnded(attempt: Attempt): void {
    const payer = this.#payer;
    if (payer === undefined) {
      if (attempt === this.#answer) this.#settle();
      return;
    }
    // One of several that were under way at once.
    if (!payer.call.attempts.includes(attempt)) payer.payMore(attempt);
    payer.call.onAttemptEnd(attempt);
  }

  /** The request has ended, or there was none: the accounts of all who are still there are settled. */
  #settle(): void {
    const [payer, ...others] = this.#members;
    if (payer === undefined || this.#payer !== undefined) return;
    this.#close();
    this.#payer = payer;
    const sent = this.#sent();
    const answer = this.#answer ?? sent.at(-1);
    payer.pay(this.#call, sent);
    const now = this.#owner.clock.now();
    for (const member of others) {
      if (answer === undefined) member.forget();
      else member.share(payer.call.id, answer, now);
      member.call.refusal = this.#call.refusal;
    }
    for (const member of this.#members) member.unwatch();
    // Who listens to records may do anything, also come back here.
    if (answer !== undefined) {
      payer.call.onAttemptEnd(answer);
      for (const { call, standIn } of others) call.onAttemptEnd(standIn);
    }
    this.#body?.drain();
  }

  /** All of the body is there. */
  onEnd(): void {
    this.#settle();
    this.#members.clear();
    const [head, body, answer, payer] = [this.#head, this.#body, this.#answer, this.#payer];
    if (head === undefined || answer === undefined || payer === undefined) return;
    if (body?.isWhole !== true) return;
    this.#owner.onWhole(this, { head, chunks: body.chunks, answer, payer: payer.call });
  }

  onBroken(error: unknown): void {
    this.#settle();
    for (const member of this.#members) member.reject(error);
    this.#members.clear();
  }

  /** There is no answer. */
  #failed(error: unknown): void {
    this.#close();
    this.#body?.cancel(error);
    this.#body = undefined;
    this.onBroken(error);
  }

  /** A foreign object in place of a response, which only one can have. */
  #giveAway(response: Response, holder: Member, others: readonly Member[]): void {
    this.#close();
    this.#payer = holder;
    this.#members.clear();
    for (const member of [holder, ...others]) member.unwatch();
    holder.pay(this.#call, this.#sent());
    const { signal } = holder.call;
    const passOn = (): void => {
      this.#abort.abort(signal?.reason);
    };
    signal?.addEventListener('abort', passOn, { once: true });
    holder.resolve(response);
    for (const member of others) {
      member.forget();
      member.resolve(run(member.next, member.call));
    }
  }

  #startOver(members: readonly Member[]): void {
    this.#close();
    for (const member of members) this.#members.delete(member);
    this.#owner.onStartOver(this, members);
  }

  leave(member: Member, departure: Departure): void {
    if (!this.#members.delete(member)) return;
    member.unwatch();
    if (member.queue !== undefined) this.#body?.remove(member.queue);
    const [holder] = this.#members;
    if (this.#payer !== undefined) {
      if (holder === undefined) this.#body?.cancel(departure.reason);
    } else if (holder === undefined) {
      this.#close();
      this.#payer = member;
      member.pay(this.#call, this.#sent());
      this.#stop(departure);
    } else {
      const facts =
        this.#answer !== undefined && this.#body?.isWhole === true
          ? factsSoFar(this.#answer, this.#body.chunks)
          : {};
      const now = this.#owner.clock.now();
      member.depart(departure, holder.call.id, this.#answer, facts, now);
      member.call.onAttemptEnd(member.standIn);
    }
    member.reject(departure.seen);
  }

  /** Nobody is left. Whatever is under way ends now, also where a transport does not heed its signal. */
  #stop({ end, reason }: Departure): void {
    if (end === 'cancelled') this.#body?.cancel(reason);
    this.#abort.abort(reason);
    const error = reason instanceof Error ? reason : new Error('The call was given up.');
    for (const attempt of this.#sent()) if (attempt.end === undefined) attempt.cut?.(error);
    this.#body?.cancel(reason);
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#owner.onClosed(this);
  }

  #sent(): readonly Attempt[] {
    return this.#call.attempts.slice(this.#before);
  }
}

const URGENCY: Readonly<Record<Priority, number>> = { low: 0, normal: 1, high: 2, urgent: 3 };

/** What was refused for reasons that the others may not share. */
function isItsOwn(refusal: RouterErrorCode | undefined): boolean {
  return (
    refusal === 'ERR_DEADLINE' ||
    refusal === 'ERR_BUDGET_EXCEEDED' ||
    refusal === 'ERR_BUDGET_UNPRICED'
  );
}

/** A stage may throw where it should reject. */
async function run(next: Member['next'], call: Call): Promise<Response> {
  return next(call);
}

/** A test's stand-in for a transport may answer with anything. */
function isShareable(response: Response | undefined): boolean {
  if (response instanceof LazyResponse) return true;
  return response instanceof Response && !response.bodyUsed && response.body?.locked !== true;
}

async function discard(response: Response | undefined): Promise<void> {
  try {
    await response?.body?.cancel();
  } catch {
    // It is no concern of anybody's any more.
  }
}
