import type { Priority } from '../../src/types.ts';
import type { TestCall } from './test-call.ts';

const PRIORITIES: readonly Priority[] = ['urgent', 'high', 'normal', 'low'];

/** The rules of the fair queue over plain lists, where everything is looked for again each time. */
export class NaiveFairQueue {
  readonly waiting: TestCall[] = [];
  readonly blocked: Set<string> = new Set();
  readonly #agingMs: number;
  readonly #weights: Readonly<Record<string, number>>;
  /** By priority: the virtual time, and the tags of the flows that are known. */
  readonly #times = new Map(PRIORITIES.map((priority) => [priority, 0]));
  readonly #tags = new Map(PRIORITIES.map((priority) => [priority, new Map<string, number>()]));
  /** By priority: when one of it was taken last. */
  readonly #servedAt = new Map<Priority, number>();
  #credit = 0;
  #before = 3;

  constructor(agingMs: number, weights: Readonly<Record<string, number>>) {
    this.#agingMs = agingMs;
    this.#weights = weights;
  }

  push(call: TestCall): void {
    const { priority, flow } = call;
    const tags = this.#tags.get(priority)!;
    const ranks = this.waiting.filter((other) => other.flow === flow).map(rankOf);
    if (rankOf(call) < Math.min(...ranks)) this.unblock(flow);
    const time = this.#times.get(priority)!;
    const isNew = this.#of(priority, flow).length === 0;
    this.waiting.push(call);
    const tag = tags.get(flow) ?? time;
    tags.set(flow, isNew && !this.blocked.has(flow) ? Math.max(tag, time) : tag);
    const behind = Math.max(0, (time - tags.get(flow)!) * this.#weight(flow));
    this.#charge(call, -Math.max(0, (call.charged ?? 0) - behind));
  }

  remove(call: TestCall): void {
    const { priority } = call;
    this.waiting.splice(this.waiting.indexOf(call), 1);
    const left = this.waiting.filter((other) => other.priority === priority);
    if (left.length === 0) this.#tags.get(priority)!.clear();
    for (const flow of this.blocked) {
      if (!this.waiting.some((other) => other.flow === flow)) this.blocked.delete(flow);
    }
  }

  next(now: number): TestCall | undefined {
    const overdue = this.#overdue(now);
    if (overdue !== undefined && this.#credit >= this.#goesBefore(overdue)) return overdue;
    return this.#heads()[0];
  }

  take(call: TestCall, now: number): void {
    const overdue = this.#overdue(now);
    const best = this.#heads()[0];
    const before = best?.priority === 'urgent' ? 19 : 3;
    if (overdue !== undefined && before !== this.#before) {
      this.#credit = Math.min(this.#credit, this.#goesBefore(overdue));
      this.#before = before;
    }
    if (overdue !== undefined && rankOf(overdue) > rankOf(call)) {
      this.#credit = Math.min(this.#credit, this.#goesBefore(overdue)) + call.cost;
    } else if (best !== undefined && rankOf(best) < rankOf(call)) {
      this.#credit = Math.max(0, this.#credit - this.#goesBefore(call));
    }
    const { priority } = call;
    this.#servedAt.set(priority, now);
    const ready = this.#ready(priority).map((flow) => this.#tags.get(priority)!.get(flow)!);
    if (ready.length > 0) {
      this.#times.set(priority, Math.max(this.#times.get(priority)!, Math.min(...ready)));
    }
    this.#charge(call, call.cost);
    this.remove(call);
  }

  block(flow: string): void {
    if (this.waiting.some((call) => call.flow === flow)) this.blocked.add(flow);
  }

  unblock(flow: string): void {
    if (!this.blocked.delete(flow)) return;
    for (const [priority, tags] of this.#tags) {
      if (this.#of(priority, flow).length === 0) continue;
      tags.set(flow, Math.max(tags.get(flow)!, this.#times.get(priority)!));
    }
  }

  last(): TestCall | undefined {
    return this.waiting.toSorted((a, b) => rankOf(b) - rankOf(a) || b.sequence - a.sequence)[0];
  }

  #charge({ priority, flow }: TestCall, cost: number): void {
    const tags = this.#tags.get(priority)!;
    tags.set(flow, tags.get(flow)! + cost / this.#weight(flow));
    const ready = this.#ready(priority);
    if (!ready.includes(flow)) return;
    const total = ready.reduce((sum, name) => sum + this.#weight(name), 0);
    this.#times.set(priority, this.#times.get(priority)! + cost / total);
  }

  /** The heads of the classes, best class first. */
  #heads(): TestCall[] {
    return PRIORITIES.flatMap((priority) => {
      const tags = this.#tags.get(priority)!;
      const heads = this.#ready(priority).map((flow) => this.#of(priority, flow)[0]!);
      heads.sort((a, b) => tags.get(a.flow)! - tags.get(b.flow)! || a.sequence - b.sequence);
      return heads.slice(0, 1);
    });
  }

  #overdue(now: number): TestCall | undefined {
    const heads = this.#heads();
    const due = (call: TestCall): number => call.arrivedAt + this.#agingMs * rankOf(call);
    const passedOverSince = (call: TestCall): number =>
      Math.max(due(call), this.#servedAt.get(call.priority) ?? -Infinity);
    const overdue = heads.filter((head) => due(head) <= now);
    const forgotten = overdue.filter(
      (head) =>
        now - passedOverSince(head) > 6 * this.#agingMs && head.arrivedAt < heads[0]!.arrivedAt,
    );
    forgotten.sort((a, b) => passedOverSince(a) - passedOverSince(b));
    return forgotten[0] ?? overdue.sort((a, b) => due(a) - due(b))[0];
  }

  /** How much is served before this one goes out of turn. */
  #goesBefore({ cost }: TestCall): number {
    return (this.#heads()[0]?.priority === 'urgent' ? 19 : 3) * cost;
  }

  #ready(priority: Priority): string[] {
    const calls = this.waiting.filter((call) => call.priority === priority);
    return [...new Set(calls.map(({ flow }) => flow))].filter((flow) => !this.blocked.has(flow));
  }

  /** In the order of their sequence. */
  #of(priority: Priority, flow: string): TestCall[] {
    return this.waiting
      .filter((call) => call.priority === priority && call.flow === flow)
      .sort((a, b) => a.sequence - b.sequence);
  }

  #weight(flow: string): number {
    return this.#weights[flow] ?? 1;
  }
}

export function rankOf({ priority }: TestCall): number {
  return PRIORITIES.indexOf(priority);
}
