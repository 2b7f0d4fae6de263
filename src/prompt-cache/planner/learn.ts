import type { Classes } from './classes.ts';
import { withGap, type Nodes } from './nodes.ts';
import { classOf, type Recognised } from './sight.ts';

/** Counts a request as a sighting of the prefixes that were known, and takes note of those that are new. */
export function learn(request: Recognised, classes: Classes, known: Nodes): void {
  const { sight, from, lineage, chosen, nodes } = request;
  const { now, positions } = sight;
  const end = positions.length - 1;
  for (const [i, index] of chosen.entries()) {
    const { hash, tier } = positions[index]!;
    const node = nodes[i];
    const isEnd = index === end;
    // Inside of a conversation only its end is waited for: all before it comes back together with it.
    const isAwaited = from === undefined || tier !== 'messages' || isEnd;
    const of = isAwaited ? classOf(request, index, node) : undefined;
    const sighting = of && classes.open(of, now);
    if (node === undefined) {
      known.set(hash, {
        lastSeen: now,
        gaps: isEnd ? lineage : [],
        count: of?.count ?? 1,
        isEnd,
        sighting,
        entry: undefined,
      });
      continue;
    }
    const gap = now - node.lastSeen;
    if (node.sighting !== undefined) node.sighting.gap ??= gap;
    node.sighting = sighting;
    if (node !== from) {
      node.gaps = withGap(node.gaps, gap);
      node.count++;
    }
    node.isEnd ||= isEnd;
    node.lastSeen = now;
  }
}
