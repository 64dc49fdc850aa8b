/** At the end: does everything add up? The consistency checker, asked over HTTP until it is through. */
import type { Checks } from './checks.ts';
import type { Printer } from './printer.ts';
import type { CheckReport, Shop } from './shop.ts';

export async function nothingIsWrong(shop: Shop, print: Printer, checks: Checks): Promise<void> {
  print.chapter('Does everything add up: money, stock, orders, messages?', 'GET /v1/admin/check?deep=true');
  const covered: Record<string, number> = {};
  const findings: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const report: CheckReport = await shop.staff<CheckReport>('GET', `/v1/admin/check?deep=true${query}`);
    for (const [what, count] of Object.entries(report.covered)) covered[what] = (covered[what] ?? 0) + count;
    findings.push(...report.findings.map(({ code, text }) => `${code}: ${text}`));
    cursor = report.page.next;
  }
  const looked = Object.entries(covered).map(([what, count]) => `${count} ${what}`);
  print.line(`Looked at ${looked.join(', ')}.`);
  for (const finding of findings) print.line(finding);
  print.line(`Found ${findings.length === 0 ? 'nothing' : `${findings.length} that should not be`}.`);
  checks.equal('findings of the consistency check', findings, []);
}
