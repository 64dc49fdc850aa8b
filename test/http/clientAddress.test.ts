import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { clientAddress } from '../../http/clientAddress.ts';

const client = suite('client address');
const networkOf = (...of: Parameters<typeof clientAddress>) => clientAddress(...of).network;

client('without a trusted proxy it is the other end of the connection, whatever the header says', () => {
  assert.is(networkOf('203.0.113.7', undefined, 0), '203.0.113.7');
  assert.is(networkOf('203.0.113.7', '198.51.100.1', 0), '203.0.113.7');
});

client('behind proxies it is what the outermost trusted one saw; the rest is only claimed', () => {
  const header = '192.0.2.66, 198.51.100.1, 10.0.0.2';
  assert.is(networkOf('10.0.0.3', header, 1), '10.0.0.2');
  assert.is(networkOf('10.0.0.3', header, 2), '198.51.100.1');
  assert.is(networkOf('10.0.0.3', header, 3), '192.0.2.66');
});

client('fewer entries than trusted proxies: the first there is', () => {
  assert.is(networkOf('10.0.0.3', '198.51.100.1', 5), '198.51.100.1');
  assert.is(networkOf('203.0.113.7', undefined, 2), '203.0.113.7');
});

client('an entry that is no address counts as the connection', () => {
  for (const nonsense of ['unknown', '', '999.1.1.1', "'; drop table", '_hidden', '1.2.3']) {
    assert.is(networkOf('203.0.113.7', nonsense, 1), '203.0.113.7', nonsense);
  }
});

client('one address has one spelling, with port or zone or in the form of the other family', () => {
  for (const same of ['203.0.113.7', '::ffff:203.0.113.7', '203.0.113.7:4711', ' 203.0.113.7 ', '::FFFF:203.0.113.7']) {
    assert.is(networkOf('10.0.0.3', same, 1), '203.0.113.7', same);
  }
  for (const same of ['2001:db8::1', '[2001:db8::2]:443', '2001:0DB8:0:0:1:2:3:4', '2001:db8:0:0:ffff::%eth0']) {
    assert.is(networkOf('10.0.0.3', same, 1), '2001:db8:0:0::/64', same);
  }
  assert.is(networkOf('::1', undefined, 0), '0:0:0:0::/64');
  assert.is.not(networkOf('2001:db8:0:1::1', undefined, 0), networkOf('2001:db8:0:2::1', undefined, 0));
});

client('this machine and private networks are told apart, and what is not known is treated like them', () => {
  const isPrivate = (address: string | undefined) => clientAddress(address, undefined, 0).isPrivate;
  const inside = [
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.1.1',
  ];
  for (const address of [...inside, 'fd00::1', 'fe80::1%eth0', '::ffff:10.0.0.1', undefined]) {
    assert.ok(isPrivate(address), String(address));
  }
  for (const address of ['8.8.8.8', '172.32.0.1', '100.128.0.1', '2001:db8::1', '::ffff:8.8.8.8']) {
    assert.not.ok(isPrivate(address), address);
  }
  assert.is(clientAddress(undefined, undefined, 0).network, '');
});

client.run();
