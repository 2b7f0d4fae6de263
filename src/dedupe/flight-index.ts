import type { Flight } from './flight.ts';
import type { Question } from './key.ts';

/** Requests whose bodies have the same length. */
interface Group {
  /** The first of them, as long as its key was not needed. */
  lone: Flight | undefined;
  size: number;
}

/** The requests that can be joined. Keys are made only when two of them might ask the same. */
export class FlightIndex {
  readonly #groups = new Map<number, Group>();
  /** All but the lone ones. */
  readonly #byKey = new Map<string, Flight>();

  /** The request that asks the same. */
  find(question: Question): Flight | undefined {
    const group = this.#groups.get(question.length);
    if (group === undefined) return undefined;
    const { lone } = group;
    if (lone !== undefined) {
      this.#byKey.set(lone.question.key, lone);
      group.lone = undefined;
    }
    return this.#byKey.get(question.key);
  }

  add(flight: Flight): void {
    const { length } = flight.question;
    const group = this.#groups.get(length);
    if (group === undefined) {
      this.#groups.set(length, { lone: flight, size: 1 });
      return;
    }
    this.#byKey.set(flight.question.key, flight);
    group.size++;
  }

  /** To be called once for each that was added. */
  delete(flight: Flight): void {
    const { question } = flight;
    const { length } = question;
    const group = this.#groups.get(length);
    if (group === undefined) return;
    if (group.lone === flight) group.lone = undefined;
    else if (this.#byKey.get(question.key) === flight) this.#byKey.delete(question.key);
    group.size--;
    if (group.size === 0) this.#groups.delete(length);
  }

  *[Symbol.iterator](): Generator<Flight> {
    for (const { lone } of this.#groups.values()) if (lone !== undefined) yield lone;
    yield* this.#byKey.values();
  }
}
