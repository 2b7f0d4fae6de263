import { addHeader } from '../http/lazy-headers.ts';
import type { Next } from '../stage.ts';
import type { Budgets } from './budgets.ts';

/**
 * Says in every answer what is left of the call's budgets. Around the whole pipeline, because an answer that several calls share
 * would say to each what was left for the first.
 */
export function tellingBudgets(budgets: Budgets, next: Next): Next {
  return async (call) => {
    const response = await next(call);
    try {
      const headers = Object.entries(budgets.headersFor(call));
      for (const [name, value] of headers) addHeader(response.headers, name, value);
    } catch {
      // A test's stand-in for an answer may have no headers.
    }
    return response;
  };
}
