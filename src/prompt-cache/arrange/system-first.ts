/**
 * The order that puts the leading system messages in front, for users who asked for it: a message that moves ahead of a
 * user's can change what the model is asked, so this never happens by default.
 *
 * Leading are the system and developer messages before the first message that is neither theirs nor a user's (an answer, a
 * tool call or result, an item without a role). They keep their order among themselves, and so does everything else.
 * `roles`: one per message, the empty string where there is none.
 *
 * `order[i]` is the index of the message that is sent at place `i`; `undefined` when none moves.
 */
export function systemFirst(roles: readonly string[]): readonly number[] | undefined {
  const firstOther = roles.findIndex((role) => role !== 'user' && !isSystem(role));
  const end = firstOther < 0 ? roles.length : firstOther;
  const leading: number[] = [];
  const others: number[] = [];
  for (const [index, role] of roles.entries()) {
    (index < end && isSystem(role) ? leading : others).push(index);
  }
  const order = [...leading, ...others];
  return order.every((from, to) => from === to) ? undefined : order;
}

/** Whether a message is an instruction and not part of the talk. */
export function isSystem(role: string): boolean {
  return role === 'system' || role === 'developer';
}
