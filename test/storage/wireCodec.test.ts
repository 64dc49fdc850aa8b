import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EncodedRecord } from '../../actors/kernel/ports.ts';
import { decodeWire, encodeWire, WireUnreadable } from '../../storage/wireCodec.ts';
import { commit, record } from './shardLogContract.ts';

const wire = suite('wire codec');

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const commits = fc.array(
  fc.record({ key: fc.stringMatching(/^[a-z0-9]{1,8}$/), seq: fc.integer({ min: 1, max: 1e6 }), word: text, by: text }),
  { maxLength: 8 },
);
const samples: fc.Arbitrary<EncodedRecord> = fc
  .record({ commits, acked: fc.array(text, { maxLength: 3 }), n: fc.integer({ min: 1, max: 2 ** 40 }) })
  .map(({ commits, acked, n }) =>
    record(
      commits.map(({ key, seq, word, by }) =>
        commit(`${key}/cart`, seq, { by, events: [{ type: word, v: 1 }], timers: [{ clear: word }] }),
      ),
      { acked, n },
    ),
  );

wire('wire codec - what is decoded is what was encoded, whatever the text', () => {
  fc.assert(fc.property(samples, (sample) => assert.equal(decodeWire(encodeWire(sample)), sample)));
});

wire('wire codec - sends get their ids and senders back', () => {
  const send = { id: '1/a#1.0', from: { type: 'a', id: '1' }, to: { type: 'b', id: '2' }, message: { type: 'Hello' } };
  const sample = record([commit('1/a', 1, { sends: [send] })]);
  assert.equal(decodeWire(encodeWire(sample)).record.commits[0]?.sends, [send]);
});

wire('wire codec - snapshots do not travel', () => {
  const snapshot = { key: '1/a', seq: 1, version: 1, stateVersion: 1, state: { secret: 'x' }, timers: [] };
  const sample = record([commit('1/a', 1)], { snapshots: [snapshot] });
  assert.equal(decodeWire(encodeWire(sample)).snapshots, []);
});

wire('wire codec - any damaged byte is noticed', () => {
  const sample = encodeWire(record([commit('1/a', 1), commit('2/ü', 1)], { acked: ['x'] }));
  fc.assert(
    fc.property(fc.nat(sample.length - 1), fc.integer({ min: 1, max: 255 }), (index, flip) => {
      const damaged = Uint8Array.from(sample);
      damaged[index] = (damaged[index] ?? 0) ^ flip;
      try {
        // Only what the form leaves open (a digit written another way) may still read as the same record.
        assert.equal(decodeWire(damaged), decodeWire(sample));
      } catch (error) {
        assert.instance(error, WireUnreadable);
      }
    }),
    { numRuns: 300 },
  );
  for (const part of [sample.subarray(0, sample.length - 1), new Uint8Array()]) {
    assert.throws(
      () => decodeWire(part),
      (error: unknown) => error instanceof WireUnreadable,
    );
  }
});

wire('wire codec - a newer form or schema is refused by name', () => {
  const sample = Buffer.from(encodeWire(record([commit('1/a', 1)]))).toString();
  const refused = (from: string, to: string): unknown => {
    try {
      return decodeWire(Buffer.from(sample.replace(from, to)));
    } catch (error) {
      return error;
    }
  };
  for (const error of [refused('[1,1,', '[2,1,'), refused('[1,1,', '[1,7,')]) {
    assert.instance(error, WireUnreadable);
    assert.match((error as Error).message, /form (2|1) and schema (1|7).*newer version/);
  }
});

wire.run();
