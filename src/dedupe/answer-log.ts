/** What a chunk takes beside its bytes, about: a stream of tiny chunks must not hold many times what it weighs. */
const CHUNK_OVERHEAD = 128;

/** How far a reader has come. */
export interface Place {
  /** Chunks read. */
  readonly chunks: number;
  /** What they took, in bytes of memory. */
  readonly size: number;
}

export const START: Place = { chunks: 0, size: 0 };

/** The bytes of an answer as they came, for any number of readers, until they are forgotten from the front. */
export class AnswerLog {
  #chunks: Uint8Array[] = [];
  #forgotten = 0;
  #end: Place = START;

  /** Behind the last chunk. */
  get end(): Place {
    return this.#end;
  }

  /** Whether the first byte is still there. */
  get isWhole(): boolean {
    return this.#forgotten === 0;
  }

  /** All that is there. */
  get chunks(): readonly Uint8Array[] {
    return this.#chunks;
  }

  append(chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return;
    this.#chunks.push(chunk);
    const { chunks, size } = this.#end;
    this.#end = { chunks: chunks + 1, size: size + chunk.byteLength + CHUNK_OVERHEAD };
  }

  /** Gives what comes behind a place, which must not be forgotten. */
  readFrom({ chunks }: Place, take: (chunk: Uint8Array) => void): void {
    for (let i = chunks - this.#forgotten; i < this.#chunks.length; i++) take(this.#chunks[i]!);
  }

  /** Lets go of what comes before a place. */
  forgetBefore({ chunks }: Place): void {
    if (chunks <= this.#forgotten) return;
    this.#chunks.splice(0, chunks - this.#forgotten);
    this.#forgotten = chunks;
  }

  /** Nobody reads from it any more. */
  clear(): void {
    this.#chunks = [];
  }
}
