import { createHash, hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { CacheRequest } from './cache-request.ts';
import type { PlanDraft } from './planner/planner.ts';
import type { Position } from './planner/sight.ts';
import type { CacheOrder, Prompt } from './types.ts';

/** The plan as an order to the adapter. `now` is left out when nobody is to be counted. */
export function cacheOrder(
  { rules, prompt, positions, wantsLong }: CacheRequest,
  { marks, onlyMarks, family }: PlanDraft,
  keys: FamilyKeys,
  now: number | undefined,
): CacheOrder {
  const first = positions.find(({ tier }) => tier === 'messages')?.hash ?? '';
  const isSharded = rules.writes === 'prefix';
  return {
    marks,
    key:
      family === ''
        ? undefined
        : keys.keyOf(beginningOf(prompt, positions), isSharded ? first : undefined, now),
    onlyMarks,
    retention: wantsLong ? '24h' : undefined,
  };
}

/**
 * What the requests of one application have in common: their tools, and how the system prompt begins. Not all of it, because
 * a clock at its end would make a key for each request, and different keys do not share. OpenAI's own routing goes by about the
 * first 256 tokens too (prompt caching guide, 2026-08).
 */
function beginningOf(prompt: Prompt, positions: readonly Position[]): string {
  const tools = positions.find(({ tier }) => tier === 'tools')?.hash ?? '';
  const system = prompt.blocks.find(({ tier }) => tier === 'system');
  if (system === undefined) return tools;
  const start = prompt.offsets.system + system.start;
  const end = Math.min(prompt.offsets.system + system.end, start + BEGINNING);
  return tools + prompt.slice(start, end);
}

const BEGINNING = 1024;

/** Cache keys for families of requests. */
export interface FamilyKeys {
  /**
   * The key of a family. Where one key serves only so many requests a minute, `conversation` chooses one of as many keys as
   * the family needs, always the same for the same conversation.
   */
  keyOf(family: string, conversation: string | undefined, now: number | undefined): string;
}

/**
 * OpenAI's machines take about 15 requests a minute for one prefix and key before they spill over to others (prompt caching
 * guide, 2026-08), so a busy family gets several keys. Their number only grows: a new key begins with an empty cache.
 */
export function createFamilyKeys(): FamilyKeys {
  const families = new LRUCache<string, Family>({ max: 10_000 });
  return {
    keyOf(beginning, conversation, now) {
      const name = hash('sha256', beginning, 'base64url').slice(0, 16);
      const base = `tr-${name}`;
      if (conversation === undefined) return base;
      const family = families.get(name) ?? { minute: now ?? 0, count: 0, shards: 1 };
      if (now !== undefined) {
        count(family, now);
        families.set(name, family);
      }
      const shard = family.shards === 1 ? 0 : jump(conversation, family.shards);
      return shard === 0 ? base : `${base}-${shard}`;
    },
  };
}

function count(family: Family, now: number): void {
  if (now - family.minute >= MINUTE) {
    family.minute = now;
    family.count = 0;
  }
  family.count++;
  const needed = Math.ceil(family.count / PER_MINUTE);
  family.shards = Math.max(family.shards, Math.min(MAX_SHARDS, needed));
}

/**
 * The place of a name among so many, such that one more place moves only its own share of the names (Lamping and Veach, "A
 * fast, minimal memory, consistent hash algorithm", 2014). Its random numbers are a xorshift from a hash of the name.
 */
function jump(name: string, places: number): number {
  let random = createHash('sha256').update(name).digest().readUInt32LE(0) || 1;
  let place = 0;
  for (let next = 1; next < places; next++) {
    random ^= random << 13;
    random ^= random >>> 17;
    random ^= random << 5;
    if ((random >>> 0) / 2 ** 32 < 1 / (next + 1)) place = next;
  }
  return place;
}

interface Family {
  minute: number;
  count: number;
  shards: number;
}

const MINUTE = 60_000;
const PER_MINUTE = 15;
const MAX_SHARDS = 64;
