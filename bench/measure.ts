import type { ClientName } from './clients/index.ts';
import type { Cell } from './plan.ts';
import { WorkerProcess } from './worker-process.ts';

/** CPU microseconds per unit of every client, round by round. */
export interface CellResult {
  readonly cell: Cell;
  readonly cpuUs: ReadonlyMap<ClientName, readonly number[]>;
}

export interface MeasureOptions {
  readonly profileDir: string | undefined;
  readonly onCell: (result: CellResult) => void;
}

/**
 * Measures all cells, one after the other. Within a cell every client has a process of its own and gets one slice in each
 * round, while the others sleep.
 */
export async function measure(
  cells: readonly Cell[],
  { profileDir, onCell }: MeasureOptions,
): Promise<CellResult[]> {
  const workers = new Map<string, WorkerProcess>();
  const server = new WorkerProcess();
  try {
    const origin = await server.do('serve');
    const results: CellResult[] = [];
    for (const cell of cells) {
      const hasSockets = cell.group !== 'null';
      const prepare = (name: ClientName): Promise<void> => {
        const key = `${name} ${hasSockets}`;
        const worker = workers.get(key) ?? new WorkerProcess(profileDir);
        workers.set(key, worker);
        return worker.do('client', name, {
          base: `${hasSockets ? origin : 'http://null'}/${cell.mode}`,
          isStream: cell.isStream,
          size: cell.size,
          hasSockets,
        });
      };
      await Promise.all(cell.clients.map(prepare));
      const result = await measureCell(cell, (name) => workers.get(`${name} ${hasSockets}`)!);
      results.push(result);
      onCell(result);
    }
    for (const worker of workers.values()) await worker.do('close');
    for (const worker of workers.values()) worker.end();
    return results;
  } catch (error) {
    for (const worker of workers.values()) worker.kill();
    throw error;
  } finally {
    server.kill();
  }
}

async function measureCell(
  cell: Cell,
  workerOf: (name: ClientName) => WorkerProcess,
): Promise<CellResult> {
  const cpuUs = new Map(cell.clients.map((name) => [name, [] as number[]]));
  const slice = async (name: ClientName, cpuMs: number): Promise<number> => {
    const { concurrency, unitsPerCall } = cell;
    const options = { concurrency, cpuMs, maxMs: cpuMs * 5 };
    const { cpuUsPerCall } = await workerOf(name).do('slice', options);
    return cpuUsPerCall / unitsPerCall;
  };
  for (const name of cell.clients) await slice(name, cell.warmMs);
  for (let round = 0; round < cell.rounds; round++) {
    // Every other round runs backwards: nobody always follows the same neighbour.
    const order = round % 2 === 0 ? cell.clients : cell.clients.toReversed();
    for (const name of order) cpuUs.get(name)!.push(await slice(name, cell.sliceMs));
  }
  return { cell, cpuUs };
}
