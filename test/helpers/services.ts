/**
 * The servers that tests talk to. Where one is not running its tests are skipped, with its name; in CI a skip fails. Every test makes
 * what it needs under a name of its own and takes it away again.
 */
import { execFileSync } from 'node:child_process';
import { connect } from 'node:net';

export const postgresUrl: string =
  process.env['TOKENROUTER_TEST_POSTGRES'] ?? 'postgres://root@127.0.0.1:5432/test';
export const redisUrl: string = process.env['TOKENROUTER_TEST_REDIS'] ?? 'redis://127.0.0.1:6379/0';

/** Why the tests of PostgreSQL are skipped; `undefined` when it runs. */
export const noPostgres: string | undefined = await whyNot('PostgreSQL', postgresUrl, 5432);
export const noRedis: string | undefined = await whyNot('Redis', redisUrl, 6379);

/** Why the tests that need such a program are skipped. */
export function noProgram(name: string, ...args: readonly string[]): string | undefined {
  try {
    execFileSync(name, args, { stdio: 'ignore' });
    return undefined;
  } catch {
    return `${name} is not installed`;
  }
}

async function whyNot(name: string, url: string, defaultPort: number): Promise<string | undefined> {
  const { hostname, port } = new URL(url);
  const isThere = await new Promise<boolean>((resolve) => {
    const socket = connect(Number(port) || defaultPort, hostname);
    socket.setTimeout(2_000, () => socket.destroy());
    socket.once('connect', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
  if (isThere) return undefined;
  const why = `${name} does not answer at ${hostname}:${port || defaultPort}`;
  console.warn(`${why}: its tests are skipped`);
  return why;
}
