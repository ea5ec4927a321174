// A reviewer with forty applications works through her inbox. Started by TestBrowserInbox, which gives the address and her log-in on standard input.
import { chromium } from 'playwright-core';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from './cases.mjs';

const plan = JSON.parse(readFileSync(0, 'utf8'));
mkdirSync(plan.shots, { recursive: true });
const words = {
  zh: { locale: 'zh-CN', overdue: '已逾期', soon: '五个工作日内到期', all: '全部', today: '今日到期', back: '回到待办，处理下一项' },
  en: { locale: 'en-GB', overdue: 'overdue', soon: 'due within five working days', all: 'All', today: 'due today', back: 'Back to the inbox for the next one' },
};

function check(condition, message) {
  if (!condition) throw new Error(message);
}

const faults = [];
const browser = await chromium.launch({
  executablePath: plan.chromium, headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

async function works(lang) {
  const w = words[lang];
  const context = await browser.newContext({ locale: w.locale, viewport: { width: 1280, height: 860 } });
  context.setDefaultTimeout(30000);
  const page = await context.newPage();
  page.on('console', (m) => { if (['error', 'warning'].includes(m.type())) faults.push(`${lang} ${page.url()}: ${m.text()}`); });
  page.on('pageerror', (e) => faults.push(`${lang} ${page.url()}: ${e.message}`));
  let shot = 0;
  const v = {
    page, lang, path: () => new URL(page.url()).pathname,
    shoot: async (name) => { if (plan.every) await page.screenshot({ path: join(plan.shots, `inbox-${lang}-${String(++shot).padStart(2, '0')}-${name}.png`), fullPage: true }); },
  };
  // What stands in the table: of each row the day, whether it is marked, and how far its last column reaches.
  const rows = () => page.$$eval('table.todo tbody tr', (all) => all.map((r) => ({
    late: r.classList.contains('late'), due: (r.innerText.match(/\d{4}-\d\d-\d\d/) || [''])[0], text: r.innerText, to: r.querySelector('a').pathname,
  })));
  const count = async (name) => Number((await page.locator('.tallies a', { hasText: name }).first().locator('b').innerText()).trim());

  await page.goto(plan.base + '/login?lang=' + lang);
  await page.fill('#account', plan.account);
  await page.fill('#password', plan.password);
  await page.click('main button.primary');
  await page.goto(plan.base + '/inbox');
  await inspect(v, 'all', check);
  const first = await rows();
  check(first.length === plan.waiting, `${lang}: ${first.length} applications wait, not ${plan.waiting}`);
  check(first.every((r, i) => i === 0 || first[i - 1].due <= r.due), `${lang}: not in the order in which they are due`);
  const late = first.filter((r) => r.late).length;
  check(late > 0 && late < first.length && first.slice(0, late).every((r) => r.late && r.text.includes(w.overdue)), `${lang}: ${late} are marked as overdue`);
  check(first.filter((r) => r.text.includes(w.today)).length > 0 && !first.some((r) => / 0 /.test(r.text)), `${lang}: what is due today is not said to be`);
  check(await count(w.overdue) === late && await count(w.all) === first.length, `${lang}: the counts are not of what is shown`);

  await page.locator('.tallies a', { hasText: w.overdue }).first().click();
  check((await rows()).length === late, `${lang}: the filter leaves other than what is overdue`);
  await v.shoot('overdue');
  await page.locator('.tallies a', { hasText: w.soon }).first().click();
  check((await rows()).every((r) => !r.late), `${lang}: what is overdue is not due soon`);
  await v.shoot('soon');
  await page.goto(plan.base + '/inbox');
  await page.fill('#q', plan.word);
  await page.locator('form[role=search] button').click();
  check((await rows()).length === 1, `${lang}: a search finds ${(await rows()).length}`);
  await v.shoot('searched');

  await page.goto(plan.base + '/inbox'); // she takes the first, votes, and goes on with the next
  const top = (await rows())[0];
  await page.locator('table.todo tbody tr a').first().click();
  check(v.path() === top.to, `${lang}: the first line leads elsewhere`);
  await inspect(v, 'case', check);
  const sheet = page.locator('form[action$="/review"]').first();
  for (const name of new Set(await sheet.locator('input[type=radio]').evaluateAll((all) => all.map((x) => x.name)))) {
    await sheet.locator(`input[type=radio][name="${name}"]`).first().check();
  }
  for (const field of await sheet.locator('select').all()) await field.selectOption({ index: 1 });
  await sheet.locator('textarea[name=findings], textarea').first().fill(lang === 'zh' ? '材料齐全，方法合适，风险可控。' : 'The papers are whole, the methods fit, the risk is small.');
  await v.shoot('sheet');
  await sheet.locator('button[name=verdict][value=approve], button').first().click();
  await page.waitForLoadState('load');
  await inspect(v, 'voted', check);
  await page.getByRole('link', { name: w.back, exact: true }).first().click();
  const rest = await rows();
  plan.waiting--;
  check(rest.length === plan.waiting && !rest.some((r) => r.to === top.to), `${lang}: what she voted on waits for her still`);
  await context.close();
}

try {
  for (const lang of ['zh', 'en']) await works(lang);
  check(faults.length === 0, faults.join('\n'));
} finally {
  await browser.close();
}
