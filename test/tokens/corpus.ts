/** Real kinds of text, short enough to be counted by js-tiktoken's quadratic merge. */
export const CORPUS: Readonly<Record<string, string>> = {
  english: `The ferry left the harbour a little after seven. Most passengers stayed inside, because the wind had turned
during the night and the deck was wet. "It won't last," said the captain; he'd seen worse in forty-three years, and
they're used to it by now. On the far shore (some 12.5 km away) one could make out the church, the mill and — if the
mist allowed it — the first houses of the old town.`,
  code: `export async function readLines(path: string, options: { maxBytes?: number } = {}): Promise<string[]> {
  const { maxBytes = 64 * 1024 } = options;
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(maxBytes);
    const { bytesRead } = await file.read(buffer, 0, maxBytes, 0);
    return buffer.toString('utf8', 0, bytesRead).split(/\\r?\\n/);
  } finally {
\t\tawait file.close(); // HTTPServerErrors end up here too
  }
}`,
  chinese: `清晨的港口很安静，渔船一艘接一艘地驶向外海。老船长说，今天的风比昨天小，傍晚以前应该能够回来。
岸边的小店刚刚开门，店主把热茶端到桌上，问我们要不要再等一等。`,
  thai: `เรือออกจากท่าตั้งแต่เช้า ลมแรงกว่าเมื่อวานเล็กน้อย กัปตันบอกว่าน่าจะกลับถึงฝั่งก่อนค่ำ ร้านเล็กๆ ริมน้ำเพิ่งเปิดประตู`,
  json: JSON.stringify({
    messages: [
      { role: 'system', content: 'Answer in one short sentence.' },
      { role: 'user', content: [{ type: 'text', text: 'When does the last ferry leave?' }] },
      {
        role: 'tool',
        tool_call_id: 'call_7Gh2',
        content: '{"departures":["18:40","21:05"],"pier":3}',
      },
    ],
    temperature: 0.2,
    stream: true,
  }),
  base64: Buffer.from(
    Uint8Array.from({ length: 300 }, (_, i) => (i * i * 31 + 7 * i) % 251),
  ).toString('base64'),
  mixed:
    'naïve café — “Grüße” ①②③ 👩🏽‍💻🎉 Привет, мир! مرحبا 東京タワー 서울 नमस्ते e\u0301 <|endoftext|><|im_start|>\r\n\r\n\t end',
};

/** Texts that defeat a merge which scans all pairs again and again: one unbroken piece, or none at all. */
export const HOSTILE: Readonly<Record<string, (length: number) => string>> = {
  'one letter': (length) => 'a'.repeat(length),
  spaces: (length) => ' '.repeat(length),
  'spaces before a word': (length) => `${' '.repeat(length - 1)}x`,
  newlines: (length) => '\n'.repeat(length),
  'equals signs': (length) => '='.repeat(length),
  'base64 of zeros': (length) => 'A'.repeat(length),
  'random letters': (length) => scatter('abcdefghijklmnopqrstuvwxyz', length),
  'random capitals': (length) => scatter('ABCDEFGHIJKLMNOPQRSTUVWXYZ', length),
  emoji: (length) => '😀'.repeat(length / 2),
  'mixed emoji': (length) => scatter('😀🎉🚀🔥🏽👍', length / 2),
  'chinese without punctuation': (length) =>
    scatter('的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可', length),
  'thai without spaces': (length) => scatter('กขคงจชซญดตถทนบปผพภมยรลวสหอะาิีุูเแโใไ', length),
  dna: (length) => scatter('ACGT', length),
  punctuation: (length) => scatter('!@#$%^&*()_-+={}[]|:;"<>,.?/~`', length),
  digits: (length) => scatter('0123456789', length),
  'white space': (length) => scatter(' \n\t\r', length),
  'lone surrogates': (length) => '\ud800'.repeat(length),
  'ideographs between capitals': (length) => '中AAA'.repeat(length / 4),
};

/** `length` characters of an alphabet in a fixed, irregular order. */
function scatter(alphabet: string, length: number): string {
  const characters = [...alphabet];
  let state = 12_345;
  let text = '';
  for (let i = 0; i < length; i++) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    text += characters[Math.floor(state / 256) % characters.length]!;
  }
  return text;
}
