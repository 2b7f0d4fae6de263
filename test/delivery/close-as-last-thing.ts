/** Run by delivery.test.ts: nothing but `close` keeps this program alive while the sink's retry waits for its timer. */
import { createDelivery } from '../../src/delivery/delivery.ts';
import { sampleRecord } from '../../src/testing/sample-record.ts';
import { systemClock } from '../../src/util/clock.ts';
import { createTestSink } from './test-sink.ts';

const sink = createTestSink();
sink.answers.push('reject');
const delivery = createDelivery({ sinks: [sink], clock: systemClock, random: () => 0 });
delivery.push(sampleRecord());
await delivery.close();
console.log(`stored ${sink.stored.length} after ${sink.writes.length} writes`);
