/** Writes `src/pricing/prices.json`. Offline; run it after a change of the price source or of the corrections. */
import { writeFileSync } from 'node:fs';

import { buildPriceList } from './prices/build.ts';

writeFileSync(new URL('../src/pricing/prices.json', import.meta.url), buildPriceList());
