/** Bedrock's list: the same model costs 10 % more on regional and geo profiles than on the global one. */
import type { ListedModel } from '../../src/pricing/price-list.ts';
import { sourceModels } from './source.ts';

/**
 * Keys are ids without date and version: `global.<model>` and `regional.<model>` where their prices differ, else
 * `<model>`. Where they differ, the bare model gets the global price, marked approximate: the id alone does not
 * tell by which profile it was reached. OpenAI's models on Bedrock list their bare id as in-region.
 */
export function bedrockModels(): Record<string, ListedModel> {
  const models = new Map<string, ListedModel>();
  for (const { id, prices } of sourceModels('aws')) {
    // The versions of Titan's embeddings are models of their own.
    const key = id.includes('embed')
      ? id
      : id.replace(/(-v\d+)?(:\d+)?$/, '').replace(/-20\d{6}$/, '');
    models.set(key, { prices });
  }
  const listed: Record<string, ListedModel> = {};
  for (const [key, model] of models) {
    const bare = key.replace(/^(global|regional)\./, '');
    const global = models.get(`global.${bare}`);
    const regional = models.get(`regional.${bare}`);
    if (global === undefined || regional === undefined || sameNow(global, regional)) {
      listed[bare] = named(bare, model);
      continue;
    }
    listed[key] = model;
    listed[bare] = bare.startsWith('openai.')
      ? named(bare, regional)
      : named(bare, { approximate: true, ...global });
  }
  return listed;
}

/** Answers of Claude and gpt-oss on Bedrock name the model without its vendor or version. */
function named(bare: string, model: ListedModel): ListedModel {
  const short = bare.startsWith('anthropic.') ? bare.slice('anthropic.'.length) : undefined;
  const unversioned = bare.startsWith('openai.gpt-oss-') ? bare.replace(/-\d$/, '') : undefined;
  const name = short ?? unversioned;
  return name === undefined ? model : { aka: [name], ...model };
}

function sameNow(a: ListedModel, b: ListedModel): boolean {
  return JSON.stringify(a.prices.at(-1)) === JSON.stringify(b.prices.at(-1));
}
