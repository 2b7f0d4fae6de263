/**
 * Kills a process with `kill -9` at random moments, with the database killed and restarted meanwhile, and says what is missing in
 * the end. Starts a PostgreSQL server of its own.
 *
 *     --rounds <n>          how many kills (default 30)
 *     --durability <level>  batched, process or disk (default process)
 */
import { parseArgs } from 'node:util';
import { startOwnPostgres } from './crash/own-postgres.ts';
import { crashRounds } from './crash/rounds.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '30' },
    durability: { type: 'string', default: 'process' },
  },
});
const { durability } = values;
if (durability !== 'batched' && durability !== 'process' && durability !== 'disk') {
  throw new Error('--durability takes batched, process or disk.');
}

await using postgres = await startOwnPostgres();
const startedAt = performance.now();
const { finished, missing, windowMs, stored, twice } = await crashRounds({
  durability,
  rounds: Number(values.rounds),
  postgresUrl: postgres.url,
  schema: 'crash',
  harm: () => postgres.killAndRestart(),
  onRound: (round, calls) => {
    const elapsed = ((performance.now() - startedAt) / 1_000).toFixed(0);
    console.error(`${elapsed} s  round ${round + 1}: ${calls} calls`);
  },
});
const lost = missing.reduce((sum, count) => sum + count, 0);
console.log(
  `${durability}, ${missing.length} kills: ${finished} calls were seen to finish, ${stored} are stored, ` +
    `${twice} twice, ${lost} missing (at most ${Math.max(...missing)} in a round, ` +
    `the last ${windowMs.toFixed(1)} ms of it)`,
);
if (twice > 0 || (durability !== 'batched' && lost > 0)) process.exitCode = 1;
