import { LazyHeaders } from '../http/lazy-headers.ts';

/** The headers of an answer that several calls share, with what differs from call to call. Names in lower case. */
export class OwnHeaders extends LazyHeaders {
  readonly #shared: Headers;
  #all: LazyHeaders | undefined;

  constructor(shared: Headers, own: Readonly<Record<string, string>>) {
    super(own);
    this.#shared = shared;
  }

  override get(name: string): string | null {
    return super.get(name) ?? this.#shared.get(name);
  }

  override getSetCookie(): string[] {
    return this.#shared.getSetCookie();
  }

  override forEach(
    callback: (value: string, key: string, parent: Headers) => void,
    thisArg?: unknown,
  ): void {
    for (const [key, value] of this.entries()) callback.call(thisArg, value, key, this);
  }

  override entries(): ReturnType<Headers['entries']> {
    return this.#joined().entries();
  }

  override keys(): ReturnType<Headers['keys']> {
    return this.#joined().keys();
  }

  override values(): ReturnType<Headers['values']> {
    return this.#joined().values();
  }

  #joined(): LazyHeaders {
    if (this.#all === undefined) {
      const raw = Object.fromEntries([...this.#shared, ...super.entries()]);
      const cookies = this.getSetCookie();
      this.#all = new LazyHeaders(cookies.length === 0 ? raw : { ...raw, 'set-cookie': cookies });
    }
    return this.#all;
  }
}
