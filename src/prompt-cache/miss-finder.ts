import { usd } from '../util/usd.ts';
import type { CacheMiss, CallContext, Cost, TokenUsage } from '../types.ts';
import type { CacheRequest } from './cache-request.ts';
import { diagnose, type Diagnosis } from './diagnosis/diagnose.ts';
import { lostPico } from './diagnosis/lost-money.ts';
import { createMissLedger, type MissReport } from './diagnosis/miss-ledger.ts';
import { createPredecessors } from './diagnosis/predecessors.ts';
import { identityOf } from './diagnosis/prompt-change.ts';
import type { PlanDraft } from './planner/planner.ts';

/** Says why a prefix was not read, and adds up what that cost. */
export interface MissFinder {
  /** Takes note of a request that is sent. What it gives says, once the usage is known, what was missed. */
  sent(
    request: CacheRequest,
    draft: PlanDraft,
    context: CallContext,
    model: string | undefined,
  ): (usage: TokenUsage, cost: Cost) => CacheMiss | undefined;
  snapshot(): MissReport;
}

export function createMissFinder(): MissFinder {
  const predecessors = createPredecessors();
  const ledger = createMissLedger();
  return {
    sent(request, draft, { session }, model) {
      const { prompt, fingerprint, scope, rules, hostMarks } = request;
      const { salts } = fingerprint;
      const sentAt = draft.sight.now;
      const family = draft.family.slice(scope.length);
      const earlier = predecessors.remember(prompt, fingerprint, {
        // Another model is another scope for the planner, but no other conversation.
        scope: scope.slice(0, scope.indexOf(' ')),
        session,
        model,
        salts,
        family,
        sentAt,
        continues: draft.knownTo?.block,
      });
      const { lastKept } = draft;
      return (usage, cost) => {
        if (usage.grade !== 'exact') return undefined;
        const { cacheRead, cacheWrite, cacheWrite1h, uncached } = usage.inputTokens;
        const wrote = cacheWrite ?? cacheWrite1h;
        const found = diagnose({
          prompt,
          fingerprint,
          identity: identityOf(session, model, salts),
          earlier,
          known: lastKept && {
            position: lastKept.position.block,
            tokens: lastKept.position.tokens,
            isEstimate: !request.calibration.isMeasured,
            readableAt: lastKept.readableAt,
            expiresAt: lastKept.expiresAt,
          },
          marks: [...hostMarks, ...draft.marks].map(({ block }) => block),
          sentAt,
          rules,
          reported: {
            read: cacheRead,
            write: wrote === undefined ? undefined : (cacheWrite ?? 0) + (cacheWrite1h ?? 0),
            uncached,
          },
        });
        if (found === undefined) return undefined;
        // What was observed went out as the host gave it, not as it was planned.
        const isReordered = request.mode === 'observe' && request.isReordered;
        const miss: Diagnosis =
          isReordered && found.reason === 'evicted'
            ? { ...found, reason: 'tools-reordered' }
            : found;
        const lost = lostPico(miss.lostTokens, usage, cost, rules);
        ledger.add(miss, earlier?.family ?? family, lost);
        return {
          reason: miss.reason,
          position: miss.position,
          difference: miss.difference,
          lostTokens: Math.round(miss.lostTokens),
          lostUsd: lost === undefined ? undefined : usd(lost),
        };
      };
    },
    snapshot: () => ledger.snapshot(),
  };
}
