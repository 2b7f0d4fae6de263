import { nameForms } from './model-names.ts';
import type { ListedModel, ListedProvider, PriceList } from './price-list.ts';
import { priceModel } from './rates.ts';
import type { PricedModel } from './rates.ts';

export interface FoundModel {
  readonly model: PricedModel;
  /** Whether it is the model's own price on the provider's own list. */
  readonly exact: boolean;
}

export type FindListed = (provider: string, name: string) => FoundModel | undefined;

/** For each provider. Model names come from answers, so what is remembered of them has a bound. */
const MAX_REMEMBERED = 500;

/** Looks models up by provider and name; reads a provider's part of the list at its first look-up. */
export function listedModels(list: PriceList): FindListed {
  const providers = new Map(Object.entries(list.providers));
  const indexes = new Map<string, ReadonlyMap<string, FoundModel>>();
  const remembered = new Map<string, Map<string, FoundModel | undefined>>();

  function indexOf(name: string, provider: ListedProvider): ReadonlyMap<string, FoundModel> {
    let index = indexes.get(name);
    if (index === undefined) indexes.set(name, (index = indexProvider(provider)));
    return index;
  }

  function find(providerName: string, name: string): FoundModel | undefined {
    const provider = providers.get(providerName);
    if (provider === undefined) return undefined;
    const index = indexOf(providerName, provider);
    for (const form of nameForms(providerName, name)) {
      const found = index.get(form.name);
      if (found !== undefined) return form.exact ? found : { ...found, exact: false };
    }
    for (const other of provider.same ?? []) {
      const found = find(other, name);
      if (found !== undefined) return found;
    }
    for (const other of provider.borrows ?? []) {
      const found = find(other, name);
      if (found !== undefined) return { ...found, exact: false };
    }
    return undefined;
  }

  return (providerName, name) => {
    if (!providers.has(providerName)) return undefined;
    let names = remembered.get(providerName);
    if (names === undefined) remembered.set(providerName, (names = new Map()));
    const known = names.get(name);
    if (known !== undefined || names.has(name)) return known;
    const found = find(providerName, name);
    if (names.size >= MAX_REMEMBERED) names.clear();
    names.set(name, found);
    return found;
  };
}

function indexProvider(provider: ListedProvider): ReadonlyMap<string, FoundModel> {
  const index = new Map<string, FoundModel>();
  for (const [id, listed] of Object.entries(provider.models)) {
    if (listed === undefined) continue;
    const model = lazyModel(listed, provider);
    for (const name of [...(listed.aka ?? []), id]) {
      // A name that moves from model to model need not mean this one, unless the list dates its moves.
      const moves = name.endsWith('-latest') && listed.prices.length === 1;
      index.set(name, { model, exact: listed.approximate !== true && !moves });
    }
  }
  return index;
}

function lazyModel(listed: ListedModel, provider: ListedProvider): PricedModel {
  let model: PricedModel | undefined;
  return {
    quote: (query) => (model ??= priceModel(listed, provider.services)).quote(query),
  };
}
