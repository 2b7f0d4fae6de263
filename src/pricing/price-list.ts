/**
 * The shape of `prices.json`. Amounts are US dollars per million tokens with at most six decimals, as providers
 * print them, so that a line can be checked against a price page; `rates.ts` turns them into integers.
 */

/** One column of a provider's price table. */
export interface ListedRates {
  input: number;
  /** Absent: the provider lists no price of its own for reads from its cache. */
  cacheRead?: number | undefined;
  /** Writes with the provider's default lifetime. */
  cacheWrite?: number | undefined;
  /** Writes that live for one hour. */
  cacheWrite1h?: number | undefined;
  /** Absent: the model bills no output (embeddings). Reasoning is billed as output. */
  output?: number | undefined;
}

/** The price of a model from one day on. */
export interface ListedPeriod extends ListedRates {
  /** First day (`YYYY-MM-DD`, UTC). Absent on the oldest known price. */
  from?: string | undefined;
  /** Prices of the whole request once its input, cached tokens included, is more than `tokens`. */
  above?: (ListedRates & { tokens: number }) | undefined;
  /** Prices within these hours of the day, `HH:MM-HH:MM` UTC, the end not included. */
  peak?: (ListedRates & { utc: string[] }) | undefined;
}

/** What a service tier does to the price: a factor on every rate, or rates of its own. */
export type ListedService = number | ListedRates;

export type ListedServices = Record<string, ListedService | undefined>;

export interface ListedModel {
  /** Other names of the same model with the same price. Names ending in `-latest` move and price approximately. */
  aka?: string[] | undefined;
  /** What is billed also depends on something a call does not show, such as the region. */
  approximate?: boolean | undefined;
  services?: ListedServices | undefined;
  /** Oldest first. */
  prices: ListedPeriod[];
}

export interface ListedProvider {
  /** Providers whose list this one shares. */
  same?: string[] | undefined;
  /** Providers whose list stands in for what this one does not list: approximate. */
  borrows?: string[] | undefined;
  services?: ListedServices | undefined;
  models: Record<string, ListedModel | undefined>;
}

export interface PriceList {
  /** The day on which the list was taken. */
  date: string;
  sources: string[];
  providers: Record<string, ListedProvider | undefined>;
}
