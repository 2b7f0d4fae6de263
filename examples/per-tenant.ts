/** Who made a call stands in its record: with `router.with` for a client, with `router.run` for a request that is handled. */
import OpenAI from 'openai';
import { createRouter } from 'tokenrouter';
import { replayFetch } from 'tokenrouter/testing';

const recorded = new URL('../test/fixtures/interactions/openai.jsonl', import.meta.url);
const router = createRouter({ fetch: replayFetch(recorded) });

const usdByTenant = new Map<string, number>();
const stop = router.on('usage', ({ context: { tenant = 'nobody', user, tags }, cost }) => {
  usdByTenant.set(tenant, (usdByTenant.get(tenant) ?? 0) + Number(cost.usd));
  console.log(`  ${tenant} ${user ?? '-'} ${tags?.['feature'] ?? '-'} $${cost.usd}`);
});

type Model = 'gpt-4o' | 'gpt-4o-mini' | 'gpt-3.5-turbo';
async function ask(client: OpenAI, model: Model, content: string, headers = {}): Promise<void> {
  const request = { model, messages: [{ role: 'user' as const, content }], stream: false };
  await client.chat.completions.create(request, { headers });
}

// One client per tenant.
const acme = router.with({ tenant: 'acme', tags: { feature: 'search' } });
const forAcme = new OpenAI({ apiKey: 'not-needed-here', fetch: acme.fetch });
await ask(forAcme, 'gpt-4o-mini', 'Hello, world!');

// One client for all: what runs inside carries the context, through any number of awaits.
const shared = router.wrap(new OpenAI({ apiKey: 'not-needed-here' }));
await router.run({ tenant: 'globex', user: 'u-42' }, async () => {
  await ask(shared, 'gpt-4o', 'Hello, how are you?');
  await ask(shared, 'gpt-3.5-turbo', 'Hello!');
});

// Or as headers of one call; the provider does not see them.
await ask(shared, 'gpt-4o-mini', 'Hello, world!', { 'x-tokenrouter-tenant': 'initech' });

stop();
await router.flush();
for (const [tenant, usd] of usdByTenant) console.log(`${tenant}: $${usd.toFixed(8)}`);
console.log(router.snapshot().calls);
await router.close();
