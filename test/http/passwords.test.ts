import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createPasswords } from '../../http/passwords.ts';
import { Problem } from '../../http/problem.ts';

const passwords = suite('http passwords');
const cheap = { logN: 4, r: 8, p: 1 };

passwords('the right password matches, another does not', async () => {
  const service = createPasswords(cheap);
  const stored = await service.hash('correct horse');
  assert.match(stored, /^\$scrypt\$ln=4,r=8,p=1\$/);
  assert.ok(await service.matches('correct horse', stored));
  assert.not(await service.matches('Correct horse', stored));
  assert.not(await service.matches('', stored));
});

passwords('the same password is stored differently each time', async () => {
  const service = createPasswords(cheap);
  assert.is.not(await service.hash('a password'), await service.hash('a password'));
});

passwords('without a stored hash nothing matches', async () => {
  assert.not(await createPasswords(cheap).matches('anything', undefined));
});

passwords('a hash made at another cost is still understood', async () => {
  const stored = await createPasswords({ logN: 5, r: 8, p: 2 }).hash('a password');
  assert.ok(await createPasswords(cheap).matches('a password', stored));
});

passwords('the same characters typed in another composition match', async () => {
  const service = createPasswords(cheap);
  assert.ok(await service.matches('caf\u00e9 noir', await service.hash('cafe\u0301 noir')));
});

passwords('a stored hash of an unknown form is our bug, not a wrong password', async () => {
  let thrown: unknown;
  await createPasswords(cheap)
    .matches('x', 'md5:abc')
    .catch((error: unknown) => {
      thrown = error;
    });
  assert.instance(thrown, Error);
  assert.not.instance(thrown, Problem);
});

passwords('more at once than may wait are shed, the others are served', async () => {
  const service = createPasswords(cheap);
  const results = await Promise.allSettled(Array.from({ length: 80 }, () => service.hash('a password')));
  const shed = results.filter((result) => result.status === 'rejected');
  assert.is(shed.length, 80 - 2 - 64);
  for (const { reason } of shed) assert.is((reason as Problem).status, 503);
  assert.ok(await service.matches('a password', await service.hash('a password')));
});

passwords.run();
