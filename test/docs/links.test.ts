import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { pages, readPage, root } from './markdown.ts';

/** As GitHub makes them: lower case, punctuation away, spaces to hyphens. */
function anchorsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** A page without its blocks of code. */
function proseOf(page: string): string {
  return readPage(page).replaceAll(/^```[\s\S]*?^```$/gm, '');
}

function linksOf(page: string): string[] {
  return [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

test('there are pages to check', () => {
  expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/options.md']));
  expect(linksOf('README.md')).toContain('docs/options.md');
});

test.each(pages)('the links of %s lead somewhere', (page) => {
  const dead = linksOf(page).filter((link) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : relative(root, join(root, dirname(page), path));
    if (!existsSync(join(root, target))) return true;
    return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor);
  });
  expect(dead).toEqual([]);
});

test('every page of docs is linked from README.md or from another page', () => {
  const linked = new Set(
    pages.flatMap((page) =>
      linksOf(page).map((link) => relative(root, join(root, dirname(page), link.split('#')[0]!))),
    ),
  );
  const lonely = pages.filter(
    (page) => page.startsWith('docs/') && !linked.has(page) && !linked.has(dirname(page)),
  );
  expect(lonely).toEqual([]);
});
