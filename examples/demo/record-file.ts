/** Where the demo leaves its records. */
import { rmSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isRouterError, type Sink } from 'tokenrouter';
import { fileSink } from 'tokenrouter/sinks/file';
import { sqliteSink } from 'tokenrouter/sinks/sqlite';

export interface RecordFile {
  readonly sink: Sink;
  /** As one would type it here. */
  readonly path: string;
  /** Set when it is not SQLite. */
  readonly note?: string;
  /** Commands that show what is in it. */
  readonly hints: readonly string[];
}

/** npm runs the demo with the project's own Node, which need not be the one on the PATH. */
const node = process.env['npm_lifecycle_event'] === undefined ? 'node' : 'npx node';

const defaultPath = fileURLToPath(new URL('../../.tokenrouter/demo.sqlite', import.meta.url));

/** The demo's own file starts empty; records are added to one that was chosen with `--out`. */
export function openRecordFile(out: string | undefined): RecordFile {
  const sqlite = out === undefined ? defaultPath : resolve(out);
  try {
    const sink = sqliteSink({ path: sqlite });
    if (out === undefined) startEmpty(sqlite);
    const path = asTyped(sqlite);
    const select =
      'SELECT provider, sum(cost_pico_usd) / 1e12 AS usd FROM usage_records GROUP BY 1';
    return {
      sink,
      path,
      hints: [
        `sqlite3 -box ${quoted(path)} "${select}"`,
        `${node} -e "console.table(new (require('node:sqlite').DatabaseSync)('${path}').prepare('${select}').all())"`,
      ],
    };
  } catch (error) {
    if (!isRouterError(error)) throw error;
  }
  const jsonl = sqlite.replace(/(?:\.sqlite|\.db)?$/, '.jsonl');
  if (out === undefined) startEmpty(jsonl);
  const path = asTyped(jsonl);
  return {
    sink: fileSink({ path: jsonl }),
    path,
    note: `This Node (${process.version}) has no node:sqlite, so the records are lines of JSON.`,
    hints: [`head -n 1 ${quoted(path)}`],
  };
}

function startEmpty(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
}

function asTyped(path: string): string {
  const near = relative(process.cwd(), path);
  return (near.startsWith('..') ? path : near).replaceAll('\\', '/');
}

function quoted(path: string): string {
  return /^[\w./:-]+$/.test(path) ? path : `"${path}"`;
}
