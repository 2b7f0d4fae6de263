/**
 * The names under which a model may stand in the price list, most specific first. Only rules that cannot lead to
 * another model: a longer name never takes a shorter name's price, but for the date of a snapshot.
 */
export interface NameForm {
  readonly name: string;
  /** Whether the price under this name is the model's own. */
  readonly exact: boolean;
}

export function nameForms(provider: string, name: string): NameForm[] {
  return withUndated((RULES.get(provider) ?? asIs)(name));
}

type Rule = (name: string) => NameForm[];

const RULES: ReadonlyMap<string, Rule> = new Map([
  ['aws.bedrock', bedrock],
  ['azure.ai.inference', openai],
  ['azure.ai.openai', openai],
  ['gcp.gemini', google],
  ['gcp.vertex_ai', google],
  ['openai', openai],
  ['openrouter', openrouter],
]);

function asIs(name: string): NameForm[] {
  return [{ name, exact: true }];
}

/** `ft:gpt-4o-2024-08-06:org:name:id` is billed as fine-tuned `gpt-4o`. */
function openai(name: string): NameForm[] {
  const [kind, base] = name.split(':');
  return kind === 'ft' && base !== undefined && base !== '' ? asIs(`ft:${base}`) : asIs(name);
}

/** `models/<id>`, `publishers/google/models/<id>`, `google/<id>`, and stable versions: `gemini-2.0-flash-001`. */
function google(name: string): NameForm[] {
  if (name.includes('tunedModels/') || name.includes('endpoints/')) return [];
  const id = name.slice(name.lastIndexOf('/') + 1);
  const stable = id.startsWith('gemini-') ? id.replace(/-00\d$/, '') : id;
  return [...asIs(id), ...asIs(stable)];
}

/**
 * Routing suffixes choose among the providers of the same model, so that its list price is near. `:free`, `:batch`,
 * `:thinking` and the like are models of their own.
 */
function openrouter(name: string): NameForm[] {
  const base = /^(.+):(?:nitro|floor|exacto|online)$/.exec(name)?.[1];
  return base === undefined ? asIs(name) : [...asIs(name), { name: base, exact: false }];
}

/**
 * `us.anthropic.claude-sonnet-4-5-20250929-v1:0`, also at the end of an ARN. A geo prefix is a cross-region profile:
 * `global.` at the global price, every other at the regional one. The version says nothing about the price.
 */
function bedrock(name: string): NameForm[] {
  // An application's own profile is an opaque id.
  if (name.includes('application-inference-profile/')) return [];
  const id = name.slice(name.lastIndexOf('/') + 1);
  const geo = /^(global|apac|us-gov|[a-z]{2})\./.exec(id);
  const bare = geo === null ? id : id.slice(geo[0].length);
  const unversioned = [bare, bare.replace(/:\d+$/, ''), bare.replace(/(-v\d+)?(:\d+)?$/, '')];
  if (geo === null) return unversioned.flatMap(asIs);
  const profile = geo[1] === 'global' ? 'global' : 'regional';
  return [
    ...withUndated(unversioned.flatMap((model) => asIs(`${profile}.${model}`))),
    ...unversioned.flatMap(asIs),
  ];
}

/**
 * `gpt-4o-2024-08-06`, `claude-sonnet-4-5-20250929`, Vertex's `claude-opus-4-1@20250805`, and OpenAI's former
 * `davinci:2023-07-21-v2`. A snapshot with a price of its own is listed under its full name and found first.
 */
const SNAPSHOT = /(?:[-@](?:20\d{2}-\d{2}-\d{2}|20\d{6})|:(?:20\d{2}-\d{2}-\d{2}|20\d{6})-v\d+)$/;

function withUndated(forms: readonly NameForm[]): NameForm[] {
  return forms.flatMap((form) => {
    // What OpenRouter and Hugging Face add follows the date: `vendor/model-20251217:free`.
    const suffix = /^.*\/.*(:[a-z-]+)$/.exec(form.name)?.[1] ?? '';
    const dated = form.name.slice(0, form.name.length - suffix.length);
    const undated = dated.replace(SNAPSHOT, '');
    return undated === dated ? [form] : [form, { name: undated + suffix, exact: form.exact }];
  });
}
