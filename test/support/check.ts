/** Asks a running shop's own checker. */
import * as assert from 'uvu/assert';
import type { Client } from './client.ts';

export type Finding = {
  readonly level: string;
  readonly code: string;
  readonly text: string;
  readonly ids: readonly string[];
};

export type Checked = {
  /** Of the levels critical and warning. */
  readonly serious: readonly Finding[];
  readonly infos: readonly Finding[];
  /** Orders looked at. */
  readonly orders: number;
};

/** All of it: on a slow machine one request may not get to the end. */
export async function checkShop({ call }: Pick<Client, 'call'>, token: string, deep = true): Promise<Checked> {
  const findings: Finding[] = [];
  let orders = 0;
  for (let next = ''; ; ) {
    const { status, body } = await call('GET', `/v1/admin/check?deep=${deep}${next}`, { token });
    assert.is(status, 200, JSON.stringify(body));
    findings.push(...body.findings);
    orders += body.covered.orders;
    const counted = ['critical', 'warning', 'info'].map((level) => body.summary[level]);
    assert.is(
      counted.reduce((a, b) => a + b),
      body.findings.length,
    );
    if (body.page.next === null) break;
    next = `&cursor=${body.page.next}`;
  }
  const isInfo = ({ level }: Finding): boolean => level === 'info';
  return { serious: findings.filter((each) => !isInfo(each)), infos: findings.filter(isInfo), orders };
}
