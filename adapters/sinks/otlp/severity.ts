import type { UsageRecord } from '../../../src/types.ts';

/** `SeverityNumber` of the log data model: INFO is 9, WARN is 13. */
export function severityOf({ outcome }: UsageRecord): { number: number; text: string } {
  return outcome === 'ok' ? { number: 9, text: 'INFO' } : { number: 13, text: 'WARN' };
}
