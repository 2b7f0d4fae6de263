/** The same numbers for the same seed, in every run and on every machine (mulberry32). */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const WORDS =
  'the a of and to in is was that it for on with as be at by this have from or had not are but what all were when we there can an your which their said if do will each about how up out them then she many some so these would other into has more her two like him see time could no make than first been its who now people my made over did down only way find use may water long little very after words called just where most know get through back much before go good new write our used me man too any day same right look think also around another came come work three word must because does part even place well such here take why things help put years different away again off went old number great tell men say small every found still between name should'.split(
    ' ',
  );

/** English-like prose of about `length` characters. */
export function prose(random: () => number, length: number): string {
  let text = '';
  while (text.length < length) {
    const word = WORDS[Math.floor(random() * WORDS.length)]!;
    const ends = random() < 0.08;
    text += `${word}${ends ? '. ' : ' '}`;
  }
  return text.trimEnd();
}

/** Lines of code: quotes, brackets and line ends, all of which JSON escapes. */
export function code(random: () => number, length: number): string {
  let text = '';
  for (let line = 1; text.length < length; line++) {
    const name = WORDS[Math.floor(random() * WORDS.length)]!;
    text += `  const ${name}${line} = await read("${name}", { depth: ${Math.floor(random() * 9)} });\n`;
  }
  return text;
}

/** A tool's answer: JSON inside a JSON string. */
export function records(random: () => number, length: number): string {
  const rows: unknown[] = [];
  let size = 0;
  while (size < length) {
    const row = {
      id: rows.length,
      title: prose(random, 30),
      score: Math.round(random() * 1e4) / 1e4,
    };
    size += JSON.stringify(row).length + 1;
    rows.push(row);
  }
  return JSON.stringify(rows);
}
