import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { repeatedMember } from '../../http/json.ts';

const json = suite('http json');

json('finds a member that stands twice in one object, at any depth and however it is written', () => {
  assert.is(repeatedMember('{"a":1,"b":2,"a":3}'), 'a');
  assert.is(repeatedMember('{"x":[{"a":1},{"b":{"c":1 , "c" : 2}}]}'), 'c');
  assert.is(repeatedMember('{"a":1,"\\u0061":2}'), 'a');
  assert.is(repeatedMember('{"__proto__":1,"__proto__":2}'), '__proto__');
  assert.is(repeatedMember('{"":1,"":2}'), '');
});

json('the same name in other objects, in strings and in lists is none', () => {
  assert.is(repeatedMember('{"a":{"a":1},"b":[{"a":1},{"a":2}]}'), undefined);
  assert.is(repeatedMember('{"a":"\\"a\\":1,","b":"{\\"a\\":1}","c":["a","a"]}'), undefined);
  assert.is(repeatedMember('{"a":"}","b":"{","c":"\\\\"}'), undefined);
  assert.is(repeatedMember('"text"'), undefined);
});

json('what was made of a value has none; with one member said again it has', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.boolean(), (value, spaced) => {
      const text = JSON.stringify(value, null, spaced ? 2 : undefined);
      assert.is(repeatedMember(text), undefined);
      const [name = ''] = Object.keys(value);
      assert.is(repeatedMember(`${text.slice(0, text.lastIndexOf('}'))},${JSON.stringify(name)}:0}`), name);
    }),
  );
});

json.run();
