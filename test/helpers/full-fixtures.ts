import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const beside = fileURLToPath(new URL('../../../shared/fixtures', import.meta.url));

/**
 * The folder with every recorded exchange, of which test/fixtures holds a selection: `TOKENROUTER_FIXTURES`, else
 * `../shared/fixtures` beside the checkout. `undefined` when it is not there; a test that needs it then skips with
 * "full fixtures" in its name. A folder that is named but missing is an error, so that a typo does not skip tests.
 */
export function fullFixturesDir(): string | undefined {
  const named = process.env['TOKENROUTER_FIXTURES'];
  const folder = named === undefined || named === '' ? beside : named;
  if (existsSync(join(folder, 'expected_usage.jsonl'))) return folder;
  if (folder === beside) return undefined;
  throw new Error(
    `TOKENROUTER_FIXTURES names a folder without expected_usage.jsonl: ${folder}. Name the fixtures folder or unset it.`,
  );
}
