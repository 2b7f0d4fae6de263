/** Plans for customers (free, pro, enterprise) as data: what becomes budgets of the router, and what customers are charged. */
import OpenAI from 'openai';
import { createRouter, type RouterOptions } from 'tokenrouter';
import { errors, formatTable, report, spend, usd } from 'tokenrouter/report';
import { memorySink } from 'tokenrouter/sinks/memory';
import { simulateProvider } from 'tokenrouter/testing';

interface Plan {
  /** What a customer may use in a month, in cents of the customer's prices. */
  readonly creditCents: number;
  /** The customer's prices, in per cent of what the provider takes. */
  readonly pricePercent: number;
  /** Beside the credit, so that one bad day does not use up the month. */
  readonly tokensPerDay?: number;
  /** What happens beyond: calls are refused, or go on and are charged. */
  readonly beyond: 'reject' | 'report';
}

const PLANS: Readonly<Record<string, Plan>> = {
  free: { creditCents: 5, pricePercent: 100, tokensPerDay: 50_000, beyond: 'reject' },
  pro: { creditCents: 2_000, pricePercent: 130, beyond: 'reject' },
  enterprise: { creditCents: 2, pricePercent: 110, beyond: 'report' },
};

const CENT = 10n ** 10n;

/** What the provider may take until the credit is used, in whole pico-dollars, rounded down. */
const worthOf = ({ creditCents, pricePercent }: Plan): bigint =>
  (BigInt(creditCents) * CENT * 100n) / BigInt(pricePercent);

const chargedFor = (cost: bigint, { pricePercent }: Plan): bigint =>
  (cost * BigInt(pricePercent)) / 100n;

/** Each customer has the budgets of its plan for itself. The plan comes with the call, as a tag. */
const budgets: NonNullable<RouterOptions['budgets']> = Object.entries(PLANS).flatMap(
  ([name, plan]) => {
    const whose = { match: { tag: { plan: name } }, per: ['tenant' as const] };
    const whenExceeded = plan.beyond;
    return [
      {
        ...whose,
        name: `${name}, a month`,
        window: 'month' as const,
        maxUsd: usd(worthOf(plan)),
        whenExceeded,
      },
      ...(plan.tokensPerDay === undefined
        ? []
        : [
            {
              ...whose,
              name: `${name}, a day`,
              window: 'day' as const,
              maxTokens: plan.tokensPerDay,
              whenExceeded,
            },
          ]),
    ];
  },
);

const sink = memorySink();
const router = createRouter({
  // It stands in for the provider.
  fetch: simulateProvider({
    provider: 'openai',
    answer: () => ({ text: 'Yes.', outputTokens: 400 }),
  }),
  budgets,
  sinks: [sink],
});

const CUSTOMERS = [
  { tenant: 'student', plan: 'free', calls: 40 },
  { tenant: 'startup', plan: 'pro', calls: 40 },
  { tenant: 'bank', plan: 'enterprise', calls: 40 },
];

for (const { tenant, plan, calls } of CUSTOMERS) {
  const { fetch } = router.with({ tenant, tags: { plan } });
  const client = new OpenAI({ apiKey: 'not-needed-here', fetch, maxRetries: 0 });
  let refusal = '';
  for (let call = 0; call < calls; call++) {
    try {
      await client.chat.completions.create({
        model: 'gpt-4.1',
        max_completion_tokens: 400,
        messages: [{ role: 'user', content: `Is ${call} a number?` }],
      });
    } catch (error) {
      if (!(error instanceof OpenAI.APIError)) throw error;
      refusal ||= `from call ${call + 1} on: ${error.status} ${error.code}`;
    }
  }
  console.log(`${tenant} (${plan}) ${refusal || 'had all its calls answered'}`);
}
await router.close();

const { spent, refused } = await report(sink, {
  spent: spend({ by: ['tag:plan', 'tenant'] }),
  refused: errors({ by: ['tenant', 'errorCode'] }),
});
const bill = spent.rows.map(({ 'tag:plan': name, tenant, calls, cost }) => {
  const plan = PLANS[name ?? ''];
  return {
    tenant,
    plan: name,
    calls,
    refused: refused.rows.find((row) => row.tenant === tenant)?.calls ?? 0,
    cost,
    charged: plan === undefined || cost === null ? null : chargedFor(cost, plan),
    credit: plan === undefined ? null : BigInt(plan.creditCents) * CENT,
  };
});
console.log(`\n${formatTable(bill)}`);
