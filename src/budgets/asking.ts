import type { Budget } from './budget.ts';
import type { TokenRates } from './rates.ts';
import type { ModelSizes, RequestSize } from './sizes.ts';

/** A call that asks its budgets whether it may go. */
export interface Asking {
  /** Those that refuse what does not fit. */
  readonly budgets: readonly Budget[];
  readonly size: RequestSize;
  readonly sizes: ModelSizes;
  /** `undefined` where the price is not known. */
  readonly rates: TokenRates | undefined;
  /** Tokens of the answer that its request can be limited to. */
  readonly canClamp: boolean;
}
