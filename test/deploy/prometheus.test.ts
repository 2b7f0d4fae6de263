/** Rules, dashboard and page against each other, and against Prometheus' own checks. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prometheusSink } from '../../adapters/sinks/prometheus/index.ts';
import { createRouter } from '../../src/index.ts';
import { sampleRecord } from '../../src/testing/index.ts';
import { root } from '../docs/markdown.ts';
import { noProgram } from '../helpers/services.ts';

const deploy = join(root, 'deploy');
const rules = readFileSync(join(deploy, 'prometheus/alerts.yml'), 'utf8');
const dashboard: Dashboard = JSON.parse(
  readFileSync(join(deploy, 'grafana/tokenrouter.json'), 'utf8'),
);

interface Dashboard {
  readonly uid: string;
  readonly templating: {
    readonly list: ReadonlyArray<{ readonly name: string; readonly definition?: string }>;
  };
  readonly panels: readonly Panel[];
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: {
    readonly h: number;
    readonly w: number;
    readonly x: number;
    readonly y: number;
  };
  readonly targets?: ReadonlyArray<{ readonly refId: string; readonly expr: string }>;
}

const rowTitles = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title);
const shown = dashboard.panels.filter(({ type }) => type !== 'row');
const expressions = shown.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ title, expr })),
);

/** Every metric of the sink, with its labels. */
const metrics = labelsByMetric();

function labelsByMetric(): Map<string, Set<string>> {
  const page = prometheusSink().metrics();
  const names = [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = '', type]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  const docs = readFileSync(join(root, 'docs/metrics.md'), 'utf8');
  return new Map(
    names.map((name) => {
      const base = name.replace(/_(?:bucket|sum|count)$/, '');
      const row =
        new RegExp(`^\\| \`${base}\` +\\| \\w+ +\\| ([^|]*)\\|`, 'm').exec(docs)?.[1] ?? '';
      const labels = [...row.matchAll(/`(\w+)`/g)].map(([, label = '']) => label);
      return [name, new Set([...labels, ...(name.endsWith('_bucket') ? ['le'] : [])])];
    }),
  );
}

/** Names of metrics in a text, and what is asked of their labels. */
function usesIn(text: string): Array<{ name: string; labels: string[] }> {
  return Array.from(
    text.matchAll(/\btokenrouter_\w+(?:\{([^}]*)\})?/g),
    ([found, selector = '']) => ({
      name: found.replace(/\{.*/s, ''),
      labels: Array.from(selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g), ([, label = '']) => label),
    }),
  );
}

/** What a scrape adds. */
const FROM_SCRAPE = ['job', 'instance'];

function unknownUses(text: string): string[] {
  return usesIn(text).flatMap(({ name, labels }) => {
    const known = metrics.get(name);
    if (known === undefined) return [name];
    return labels
      .filter((label) => !known.has(label) && !FROM_SCRAPE.includes(label))
      .map((label) => `${name}{${label}}`);
  });
}

describe('alerts.yml', () => {
  const code = rules.replaceAll(/^\s*#.*$/gm, '');

  test('asks only for metrics and labels that there are', () => {
    expect(usesIn(code).length).toBeGreaterThan(8);
    expect(unknownUses(code)).toEqual([]);
  });

  test('has the rules that deploy/README.md lists', () => {
    const named = [...code.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
    const readme = readFileSync(join(deploy, 'README.md'), 'utf8');
    expect([...readme.matchAll(/^\| `(Tokenrouter\w+)`/gm)].map(([, name]) => name)).toEqual(named);
  });
});

describe('the dashboard', () => {
  test('has its rows in order', () => {
    expect(rowTitles).toEqual(['Overview', 'Cache', 'Billing', 'Provider health', 'Resources']);
  });

  test('asks only for metrics and labels that there are', () => {
    const variables = dashboard.templating.list.map(({ definition = '' }) => definition);
    expect([...expressions.map(({ expr }) => expr), ...variables].flatMap(unknownUses)).toEqual([]);
  });

  test('shows every metric', () => {
    const used = new Set(
      expressions
        .flatMap(({ expr }) => usesIn(expr))
        .map(({ name }) => name.replace(/_bucket$/, '')),
    );
    const all = [...metrics.keys()].map((name) => name.replace(/_(?:bucket|sum|count)$/, ''));
    expect(all.filter((name) => !used.has(name))).toEqual([]);
  });

  test('has panels with one id each, a source, a description and a target', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { title, description, datasource, targets = [] } of shown) {
      expect(description, title).toMatch(/\w/);
      expect(datasource?.uid, title).toBe('${datasource}');
      expect(targets.length, title).toBeGreaterThan(0);
      expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
    }
  });

  test('has panels side by side, none over another', () => {
    const taken = new Map<string, string>();
    for (const {
      title,
      gridPos: { x, y, w, h },
    } of dashboard.panels) {
      expect(x + w, title).toBeLessThanOrEqual(24);
      for (let column = x; column < x + w; column++) {
        for (let line = y; line < y + h; line++) {
          expect(taken.get(`${column} ${line}`), title).toBeUndefined();
          taken.set(`${column} ${line}`, title);
        }
      }
    }
  });
});

const noPromtool = noProgram('promtool', '--version');

describe.skipIf(noPromtool !== undefined)(`promtool${noPromtool ? ` (${noPromtool})` : ''}`, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tokenrouter-promtool-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function promtool(args: readonly string[], input = ''): { status: number | null; text: string } {
    const { status, stdout, stderr } = spawnSync('promtool', args, {
      input,
      encoding: 'utf8',
      cwd: join(deploy, 'prometheus'),
    });
    return { status, text: `${stdout}${stderr}` };
  }

  test('takes the rules', () => {
    const { status, text } = promtool(['check', 'rules', '--lint-fatal', 'alerts.yml']);
    expect(status, text).toBe(0);
  });

  test('sees each rule fire and hold still when it should', () => {
    const { status, text } = promtool(['test', 'rules', 'alerts.test.yml']);
    expect(status, text).toBe(0);
    const tests = readFileSync(join(deploy, 'prometheus/alerts.test.yml'), 'utf8');
    for (const [, alert = ''] of rules.matchAll(/- alert: (\w+)/g)) {
      const cases = tests
        .split(/(?=- eval_time)/)
        .filter((one) => one.includes(`alertname: ${alert}`));
      expect(
        cases.some((one) => one.includes('exp_alerts')),
        alert,
      ).toBe(true);
      expect(
        cases.some((one) => !one.includes('exp_alerts')),
        alert,
      ).toBe(true);
    }
  });

  test('takes the expressions of the dashboard', () => {
    const file = join(folder, 'dashboard.yml');
    const records = expressions.map(({ title, expr }, at) => ({
      record: `dashboard:panel_${at}`,
      expr: expr
        .replaceAll('$__rate_interval', '5m')
        .replaceAll('$__range', '6h')
        .replaceAll(/\$(?:job|provider)/g, 'x'),
      labels: { title },
    }));
    expect(records.map(({ expr }) => expr).filter((expr) => expr.includes('$'))).toEqual([]);
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules: records }] }));
    const { status, text } = promtool(['check', 'rules', '--lint-fatal', file]);
    expect(status, text).toBe(0);
  });

  test('has nothing to say of the page', async () => {
    const sink = prometheusSink({ models: ['gpt-4o-mini'] });
    const snapshot = createRouter().snapshot();
    const budget = {
      name: 'budgets[0]',
      window: 'day',
      limitUsd: '1',
      spentUsd: '0.5',
      reservedUsd: '0',
      limitTokens: 10,
      spentTokens: 1,
      reservedTokens: 0,
      usedShare: 0.5,
      uncounted: 0,
      resetsAt: '2026-02-01T00:00:00.000Z',
    };
    sink.attach({ snapshot: () => ({ ...snapshot, budgets: [budget] }) });
    await sink.write([
      sampleRecord(),
      sampleRecord({ provider: 'a"b\\c\nd\u0000\ud800é👩‍👩‍👧', stream: true, attempt: 2 }),
      sampleRecord({ outcome: 'timeout', dedupe: { role: 'follower' } }),
      sampleRecord({ cost: { usd: null, price: 'unpriced' }, saved: { cacheUsd: '-1' } }),
    ]);
    expect(promtool(['check', 'metrics'], sink.metrics())).toEqual({ status: 0, text: '' });
    expect(promtool(['check', 'metrics'], 'tokenrouterRequests 1\n').text).not.toBe('');
  });
});
