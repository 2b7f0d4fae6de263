import type { BodyPrompt } from './body/body-prompt.ts';
import { hashAll, hashPrompt, type Chain } from './body/chain.ts';
import type { Draft } from './body/prompt-reader.ts';
import type { Fingerprint, Salts } from './types.ts';

/** Hashes a draft's prompt, and keeps the hashes with it for the next turn of its conversation. */
export function fingerprintDraft({ known }: Draft, prompt: BodyPrompt, salts: Salts): Fingerprint {
  const before = known?.prompt.chain;
  const chain = hashPrompt(prompt, salts, known && before && { ...known, chain: before });
  prompt.chain = chain;
  return fingerprintOf(prompt, chain);
}

/** The hashes of a prompt, as others see them. */
export function fingerprintOf(prompt: BodyPrompt, chain: Chain): Fingerprint {
  const tools = prompt.toolBlocks.length;
  const system = tools + chain.system.length;
  let full: string | undefined;
  return {
    positions: chain.positions,
    salts: chain.salts,
    at(index) {
      if (index >= system) return chain.messages[index - system];
      if (index >= tools) return chain.system[index - tools];
      return index === tools - 1 ? chain.tools : undefined;
    },
    get full() {
      return (full ??= hashAll(prompt, chain, otherMembers(prompt)));
    },
  };
}

/** The canonical text of the members that hold no blocks. */
function otherMembers(prompt: BodyPrompt): string {
  const { body, members } = prompt;
  const held = new Set([body.toolsAt, body.systemAt, body.messagesAt]);
  let text = '';
  for (const [place, index] of body.order.entries()) {
    const member = members[place];
    if (member === undefined || held.has(index)) continue;
    text += `${JSON.stringify(member.key)}:${prompt.slice(member.start, member.end)},`;
  }
  return text;
}
