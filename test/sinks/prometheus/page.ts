/** A page of metrics, read back: the value of each series, under its name and labels as they are written. */
export function readPage(page: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of page.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const end = line.lastIndexOf(' ');
    samples.set(line.slice(0, end), Number(line.slice(end + 1)));
  }
  return samples;
}

/** The lines of one metric, without its prefix and name: `{provider="openai"} 1`. */
export function linesOf(page: string, name: string): string[] {
  const start = `tokenrouter_${name}`;
  return page
    .split('\n')
    .filter((line) => line.startsWith(`${start}{`) || line.startsWith(`${start} `))
    .map((line) => line.slice(start.length).trim());
}

/** The series of a metric as exact integers of so many decimal places, added up. */
export function sumOf(page: string, name: string, where = '', decimals = 0): bigint {
  let sum = 0n;
  for (const line of linesOf(page, name)) {
    if (!line.includes(where)) continue;
    const [whole = '', fraction = ''] = line.slice(line.lastIndexOf(' ') + 1).split('.');
    sum += BigInt(whole + fraction.padEnd(decimals, '0'));
  }
  return sum;
}
