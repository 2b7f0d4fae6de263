import type { Classes } from './classes.ts';
import type { Candidate } from './decide.ts';
import { withGap, type Expectation, type Node } from './nodes.ts';
import { oddsOfConversation, oddsOfShared, type Odds } from './reuse.ts';
import { classOf, nextClass, type Recognised } from './sight.ts';

/** How soon each chosen prefix of a request is expected back, from all that was seen. */
export function outlook(request: Recognised, classes: Classes): Candidate[] {
  const { sight, from, lineage, chosen, nodes } = request;
  const { now, positions } = sight;
  let turn: Expectation | undefined;
  const candidates = chosen.map((index, i): Candidate => {
    const { block, tokens } = positions[index]!;
    const node = nodes[i];
    const of = classOf(request, index, node);
    // All that is new in a turn comes back with the turn.
    if (of.kind === 'turn' && turn !== undefined) return { block, tokens, ...turn };
    const isKept = i <= (request.readFrom ?? -1);
    if (isKept && of.kind !== 'turn' && node?.outlook !== undefined && isFresh(node, now)) {
      return { block, tokens, ...node.outlook.expected };
    }
    const gaps =
      node === undefined || node === from ? lineage : withGap(node.gaps, now - node.lastSeen);
    const estimate = node === undefined || node === from ? oddsOfConversation : oddsOfShared;
    const next = nextClass(of, sight);
    const expected: Expectation = {
      odds: estimate(gaps, classes.odds(of, now)),
      later: estimate(gaps, classes.odds(next, now)),
      grows: next.kind === 'turn',
    };
    if (of.kind === 'turn') turn = expected;
    else if (node !== undefined) node.outlook = { expected, at: now, count: node.count };
    return { block, tokens, ...expected };
  });
  // Whoever sends a longer prefix sends the shorter one too.
  for (let i = candidates.length - 2; i >= 0; i--) {
    const own = candidates[i]!;
    const deeper = candidates[i + 1]!;
    const odds = atLeast(own.odds, deeper.odds, 1);
    const share = deeper.odds.at(-1)! / odds.at(-1)!;
    candidates[i] = { ...own, odds, later: atLeast(own.later, deeper.later, share) };
  }
  return candidates;
}

/**
 * What is expected of a prefix that many requests share changes little from one to the next, and where it is kept already it
 * decides little. So it is worked out again only now and then.
 */
function isFresh({ outlook, count }: Node, now: number): boolean {
  return (
    outlook !== undefined && now - outlook.at < FRESH_MS && count - outlook.count < FRESH_COUNT
  );
}

const FRESH_MS = 10_000;
const FRESH_COUNT = 8;

function atLeast(odds: Odds, floor: Odds, share: number): Odds {
  if (odds === floor) return odds;
  return odds.map((chance, i) => Math.max(chance, floor[i]! * share));
}
