import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Jobs, Reply } from './worker.ts';

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));

/** A worker seen from the process that leads the run: one job at a time. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  #settle: ((reply: Reply) => void) | undefined;

  /** @param profileDir where the worker leaves a CPU profile of its whole life. */
  constructor(profileDir?: string) {
    const profile = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
    this.#child = fork(WORKER, { execArgv: [...process.execArgv, '--expose-gc', ...profile] });
    this.#child.on('message', (reply: Reply) => this.#settle?.(reply));
    this.#child.on('exit', () => this.#settle?.({ error: 'A worker process ended.' }));
  }

  async do<Job extends keyof Jobs>(
    job: Job,
    ...args: Parameters<Jobs[Job]>
  ): Promise<Awaited<ReturnType<Jobs[Job]>>> {
    const reply = await new Promise<Reply>((resolve) => {
      this.#settle = resolve;
      this.#child.send({ job, args });
    });
    this.#settle = undefined;
    if ('error' in reply) throw new Error(reply.error);
    return reply.result as Awaited<ReturnType<Jobs[Job]>>;
  }

  /** Ends the process by itself, so that a profile gets written. */
  end(): void {
    this.#child.disconnect();
  }

  kill(): void {
    this.#child.kill();
  }
}
