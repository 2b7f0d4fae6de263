/** A PostgreSQL server of one's own that may be killed. Needs the server's programs; as root it runs as `postgres`. */
import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

export interface OwnPostgres extends AsyncDisposable {
  readonly url: string;
  /** Without a shutdown, as when the machine fails; then starts it again. */
  killAndRestart(): Promise<void>;
}

export async function startOwnPostgres(): Promise<OwnPostgres> {
  const programs = [
    '/usr/local/bin',
    ...globSync('/usr/lib/postgresql/*/bin').toSorted().reverse(),
  ];
  const bin = programs.findLast((folder) => existsSync(join(folder, 'pg_ctl')));
  if (bin === undefined) throw new Error('pg_ctl was not found in /usr/lib/postgresql/*/bin.');
  const user = process.getuid?.() === 0 ? userNamed('postgres') : undefined;
  const folder = mkdtempSync(join(tmpdir(), 'tokenrouter-postgres-'));
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const port = await freePort();
  const run = (program: string, ...args: readonly string[]): void => {
    execFileSync(join(bin, program), args, { ...user, cwd: folder, stdio: 'ignore' });
  };
  const data = join(folder, 'data');
  run('initdb', '--auth=trust', '--username=root', '--no-sync', '-D', data);
  const start = (): void => {
    const settings = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1`;
    run('pg_ctl', '-D', data, '-w', '-l', join(folder, 'log'), '-o', settings, 'start');
  };
  start();
  const url = `postgres://root@127.0.0.1:${port}/postgres`;
  return {
    url,
    async killAndRestart() {
      run('pg_ctl', '-D', data, '-m', 'immediate', 'stop');
      start();
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.end();
    },
    async [Symbol.asyncDispose]() {
      run('pg_ctl', '-D', data, '-m', 'immediate', 'stop');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function userNamed(name: string): { readonly uid: number; readonly gid: number } {
  const idOf = (flag: string): number =>
    Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
