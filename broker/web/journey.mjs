// The journey of one application and one QC package through the pages, as people click. Started by TestBrowserJourney, which
// gives addresses and passwords on standard input.
import { chromium } from 'playwright-core';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { again, cases } from './cases.mjs';

const plan = JSON.parse(readFileSync(0, 'utf8'));
mkdirSync(plan.shots, { recursive: true });
const every = plan.every; // all steps, not only the one that fails: pictures of whole pages take time

// What a reader must see, by language.
const words = {
  zh: {
    locale: 'zh-CN', other: 'English', catalogue: '数据目录', search: '检索', login: '登录', apply: '新建申请', save: '保存草稿', checked: '完整、合法', submit: '提交审查',
    review: '记录审查结论', approve: '通过', decide: '作出决定', approved: '批准', sign: '阅读并签署协议', agreement: '健康医疗数据', granted: '授权已生效', ask: '提问',
    explain: '先看代价和误差', cost: '代价：ε', run: '执行', charged: '已扣 ε', left: '还可提出约', synthetic: '合成数据', again: '未扣预算', proof: '审计证明', proved: '的证明',
    refused: '被拒绝的问题不扣预算', place: '位置：第 2 行', request: '申请数据包', ready: '可领取', download: '下载', send: '提交回签', countersigned: '已回签', trace: '谁在何时',
    notFound: '没有这一', logout: '退出', wrong: '账号或密码不正确', badSignature: '回签不是用登记的密钥',
  },
  en: {
    locale: 'en-GB', other: '中文', catalogue: 'Data catalogue', search: 'Search', login: 'Log in', apply: 'New application', save: 'Save draft', checked: 'Complete and lawful', submit: 'Submit for review',
    review: 'Put the review on record', approve: 'approve', decide: 'Decide', approved: 'approve', sign: 'Read and sign the agreement', agreement: 'Agreement on the', granted: 'The grant stands', ask: 'Ask a question',
    explain: 'Show cost and error first', cost: 'Cost: ε', run: 'Run', charged: 'Charged ε', left: 'more questions like this one', synthetic: 'Synthetic data', again: 'nothing was charged', proof: 'Proof in the audit log', proved: 'Proof of log entry',
    refused: 'A refused question costs nothing', place: 'At line 2', request: 'Request the package', ready: 'ready', download: 'Download', send: 'Send the countersignature', countersigned: 'countersigned', trace: 'Who saw and did what',
    notFound: 'There is no such', logout: 'Log out', wrong: 'account or the password is wrong', badSignature: 'countersignature is not by the registered key',
  },
};
// The paper that both applications name: the committee's approval, which serves as the receiver's certificate too.
const approval = Buffer.from('The ethics committee of Jinhe approves. 金河市医学伦理委员会同意。\n');
const evidence = 'sha256:' + createHash('sha256').update(approval).digest('hex');
const faults = [];
let shot = 0;

function check(condition, message) {
  if (!condition) throw new Error(message);
}

// A visitor is one person in a browser of his own.
class Visitor {
  constructor(page, w, lang) { Object.assign(this, { page, w, lang, expected: new Set() }); }

  static async open(browser, lang, options = {}) {
    const context = await browser.newContext({ locale: words[lang].locale, viewport: { width: 1180, height: 860 }, acceptDownloads: true, ...options });
    context.setDefaultTimeout(30000);
    const page = await context.newPage();
    const v = new Visitor(page, words[lang], lang);
    await page.addInitScript(() => addEventListener('securitypolicyviolation', (e) => console.error('CSP', e.violatedDirective, e.blockedURI)));
    page.on('console', (m) => {
      const refused = m.text().startsWith('Failed to load resource') && v.expected.has(new URL(m.location().url).pathname);
      if (['error', 'warning'].includes(m.type()) && !refused) faults.push(`${lang} ${page.url()}: ${m.text()}`);
    });
    page.on('pageerror', (e) => faults.push(`${lang} ${page.url()}: ${e.message}`));
    page.on('response', (r) => {
      const at = new URL(r.url());
      if (r.status() >= 400 && !v.expected.has(at.pathname)) faults.push(`${lang} ${at.pathname}: status ${r.status()}`);
      if (at.origin !== plan.base) faults.push(`${lang}: a request left for ${at.origin}`);
      if (!at.pathname.startsWith('/api/') && !r.headers()['content-security-policy']) faults.push(`${lang} ${at.pathname}: no content security policy`);
    });
    return v;
  }

  static async enter(browser, lang, account) {
    const v = await Visitor.open(browser, lang);
    await v.go('/login');
    await v.login(account, plan.passwords[account]);
    await v.sees(v.w.logout);
    return v;
  }

  async login(account, password) {
    await this.page.fill('#account', account);
    await this.page.fill('#password', password);
    await this.page.click('main button.primary');
  }

  async go(path) { await this.page.goto(plan.base + path); }
  async close() { await this.page.context().close(); }
  async press(name) { await this.page.getByRole('button', { name, exact: true }).first().click(); }
  async follow(name) { await this.page.getByRole('link', { name, exact: true }).first().click(); }

  async sees(text) {
    await this.page.waitForLoadState('load'); // a page still on its way shows its beginning
    const body = await this.page.locator('body').innerText();
    check(body.includes(text), `${this.lang} ${this.page.url()}: does not show “${text}”; it shows:\n${body.slice(0, 3000)}`);
  }

  async shoot(name) {
    if (!every && name !== 'failed') return;
    const file = `${String(++shot).padStart(2, '0')}-${this.lang}-${name}.png`;
    await this.page.screenshot({ path: join(plan.shots, file), fullPage: true });
  }

  // speak goes on in another language, kept in a cookie.
  async speak(lang) {
    Object.assign(this, { lang, w: words[lang] });
    await this.go('/?lang=' + lang);
    await this.page.setViewportSize({ width: 1180, height: 860 });
  }

  path() { return new URL(this.page.url()).pathname; }
}

async function publicPages(browser, lang) {
  const v = await Visitor.open(browser, lang);
  await v.go('/');
  await v.sees(v.w.catalogue);
  await v.page.fill('#q', 'needle');
  await v.press(v.w.search);
  await v.sees('door_to_needle_min');
  await v.shoot('catalogue');
  await v.page.locator('.cards a').first().click();
  await v.sees('total_cost');
  await v.sees(v.w.synthetic);
  await v.shoot('dataset');
  await v.follow(v.w.other); // and back: the choice is kept
  await v.sees(words[lang === 'zh' ? 'en' : 'zh'].synthetic);
  await v.go('/');
  await v.sees(words[lang === 'zh' ? 'en' : 'zh'].catalogue);
  await v.go('/grants');
  check(v.path() === '/login', 'who is not logged in is not led to the log-in');
  await v.go('/login?lang=' + lang);
  v.expected.add('/login');
  await v.login('li', 'wrong');
  await v.sees(v.w.wrong);
  await v.shoot('login');
  await v.close();
}

async function applyForQuery(li) {
  await li.go('/applications');
  await li.follow(li.w.apply);
  await li.page.fill('#title', li.lang === 'zh' ? '医院等级与卒中救治' : 'Hospital grade and stroke care');
  await li.page.fill('#reason', li.lang === 'zh' ? '比较不同等级医院的急救时间与费用，为改进救治提供依据。' : 'Compare times and costs of care between hospital grades, to improve care.');
  await li.page.fill('#methods', li.lang === 'zh' ? '按科室和医院等级分组计数、求均值，并给出区间。' : 'Counts and means by department and hospital grade, with intervals.');
  await li.shoot('form-empty');
  await li.press(li.w.save); // incomplete: policy says what is missing
  await li.shoot('draft-incomplete');
  await li.page.locator('a[href$="/edit"]').click();
  for (const table of ['person', 'encounter', 'cv_event']) await li.page.check(`input[value="jinhe:${table}.*"]`);
  await li.page.fill('#team', 'wang');
  await common(li);
  await li.shoot('form');
  await li.press(li.w.save);
  await lodge(li);
  await li.sees(li.w.checked);
  await li.shoot('draft');
  await li.press(li.w.submit);
  return li.path();
}

// lodge attaches the paper to the draft on whose page one is.
async function lodge(v) {
  const form = v.page.locator('form[action$="/attachments"]');
  await form.locator('input[name=file]').setInputFiles({ name: 'approval.txt', mimeType: 'text/plain', buffer: approval });
  await form.locator('button').click();
  await v.sees('approval.txt');
}

async function common(v) {
  const year = new Date().getFullYear();
  await v.page.fill('#from', `${year}-01-01`);
  await v.page.fill('#to', `${year + 1}-06-30`);
  await v.page.selectOption('#funding', 'public');
  await v.page.selectOption('#conflicts', 'none');
  await v.page.fill('#ethics_document', evidence);
}

async function applyForHandover(zheng) {
  await zheng.go('/applications/new');
  await zheng.page.check('#kind-handover');
  await zheng.page.fill('#title', zheng.lang === 'zh' ? '卒中与胸痛中心质控' : 'Quality control of stroke and chest-pain centres');
  await zheng.page.fill('#reason', zheng.lang === 'zh' ? '按职责核对辖区医院的急救时间指标。' : "Check times of care within the centre's remit.");
  await zheng.page.fill('#methods', zheng.lang === 'zh' ? '逐例核对，计算质控指标并反馈。' : 'Case review and indicators, fed back to hospitals.');
  await zheng.page.locator(`details:has(input[value="${plan.registry}:cv_event.*"]) > summary`).click({ position: { x: 4, y: 10 } });
  for (const column of plan.columns) await zheng.page.check(`input[value="${plan.registry}:cv_event.${column}"]`);
  await zheng.page.fill('#host', 'jinhe-first-hospital');
  await zheng.page.fill('#system', 'QC registry server');
  await zheng.page.fill('#mlps', '3');
  await zheng.page.fill('#expires', `${new Date().getFullYear() + 2}-12-31`);
  await zheng.page.fill('#evidence', evidence);
  await zheng.page.check('input[name=officer]');
  await zheng.page.check('input[value=stroke]');
  await zheng.page.check('input[value=infarction]');
  await zheng.page.fill('#remit_from', '2018-01');
  await zheng.page.fill('#remit_to', '2025-12');
  await zheng.page.check('input[name=all_hospitals]');
  await zheng.page.fill('#team', 'feng');
  await common(zheng);
  await zheng.shoot('form-handover');
  await zheng.press(zheng.w.save);
  await lodge(zheng);
  await zheng.sees(zheng.w.checked);
  await zheng.press(zheng.w.submit);
  return zheng.path();
}

// The reviews, the decision and both signatures. Reviewers find the application in their inbox.
async function decideAndSign(staff, lead, app, name) {
  const first = name === 'query';
  for (const account of name === 'query' ? ['chen', 'mei', 'zhao', 'qian', 'sun'] : ['chen', 'mei', 'zhao', 'qian', 'sun', 'qin']) {
    const v = staff[account];
    await v.go('/inbox');
    if (account === 'chen' && first) await v.shoot('inbox');
    await v.page.click(`a[href="${app}"]`);
    await v.page.fill('textarea[name=findings]', v.lang === 'zh' ? '审阅材料后无异议。' : 'No objection after reading the file.');
    for (const finding of await v.page.locator('.finding').all()) await finding.locator('input').first().check();
    await v.page.locator('.radios').getByText(v.w.approve, { exact: true }).click();
    if (account === 'chen' && first) await v.shoot('review');
    await v.press(v.w.review);
  }
  const zhou = staff.zhou;
  await zhou.go(app);
  await zhou.page.fill('#grounds', zhou.lang === 'zh' ? '合法、必要。' : 'Lawful and necessary.');
  await zhou.page.fill('#conditions', zhou.lang === 'zh' ? '每年报告一次使用情况。\n成果发布前告知数据责任单位。' : 'Report use once a year.\nTell the data owner before publishing.');
  await zhou.page.locator('.radios').getByText(zhou.w.approved, { exact: true }).click();
  if (first) await zhou.shoot('decide');
  await zhou.press(zhou.w.decide);
  for (const v of name === 'query' ? [lead, staff.wu] : [lead, staff.liang, staff.wu]) {
    await v.go(app);
    await v.follow(v.w.sign);
    await v.sees(v.w.agreement);
    if (v === lead) await v.shoot(`agreement-${name}`);
    await v.page.click('form.act button.primary');
  }
  await lead.go(app);
  await lead.sees(lead.w.granted);
  await lead.shoot(`granted-${name}`);
  return lead.page.locator('.note.done a').getAttribute('href');
}

async function question(v, sql, epsilon, button, rows = '') {
  await v.page.fill('#sql', sql);
  await v.page.fill('#rows', rows);
  await v.page.fill('#epsilon', epsilon);
  await v.press(button);
}

async function ask(li, grant) {
  await li.go(grant);
  await li.shoot('grant');
  await li.follow(li.w.ask);
  const stays = 'SELECT department, COUNT(*) AS stays, AVG(total_cost) AS cost\nFROM encounter GROUP BY department ORDER BY stays DESC';
  await question(li, stays, '0.5', li.w.explain);
  await li.sees(li.w.cost);
  await li.sees('±');
  await li.shoot('explain');
  await question(li, stays, '0.5', li.w.run);
  for (const text of [li.w.charged, li.w.left, li.w.synthetic]) await li.sees(text);
  check(await li.page.locator('svg.chart').count() === 2, 'there are not two charts');
  check(await li.page.locator('svg.chart rect.bar').count() > 3, 'there are no bars');
  check(await li.page.locator('svg.chart .whisker').count() > 10, 'there are no whiskers');
  await li.shoot('answer');
  await question(li, 'select Department, count(*), avg(total_cost) from encounter e group by 1', '0.5', li.w.run);
  await li.sees(li.w.again);
  const [csv] = await Promise.all([li.page.waitForEvent('download'), li.page.locator('form[action$=".csv"] button').click()]);
  check(readFileSync(await csv.path(), 'utf8').split('\n').length > 5, 'the CSV is empty');
  await question(li, "SELECT h.grade, AVG(e.door_to_needle_min) AS minutes FROM cv_event e\nJOIN hospital h ON e.hospital_id = h.hospital_id WHERE e.kind = 'stroke' GROUP BY h.grade", '1', li.w.run, '1');
  await li.sees(li.w.charged);
  await li.shoot('answer-means');
  li.expected.add(`${grant}/ask`);
  await question(li, 'SELECT person_id, MAX(total_cost)\nFROM encounter GROUP BY person_id', '', li.w.run);
  await li.sees(li.w.refused);
  await li.shoot('refused');
  await question(li, 'SELECT department, COUNT(*)\nFROM encounter WHERE wrong_column = 1 GROUP BY department', '', li.w.run);
  await li.sees(li.w.place);
  await li.shoot('refused-place');
  await question(li, stays, '0.5', li.w.run);
  await li.page.locator('a[href^="/audit/proof/"]').click();
  await li.sees(li.w.proved);
  await li.shoot('proof');
}

async function handover(feng, zheng, grant) {
  await feng.go(grant);
  await feng.shoot('grant-handover');
  await feng.press(feng.w.request);
  await feng.sees(feng.w.ready);
  const [pkg] = await Promise.all([feng.page.waitForEvent('download'), feng.page.getByRole('button', { name: feng.w.download }).click()]);
  const at = feng.path();
  const signature = await (await fetch(plan.centre, { method: 'POST', body: readFileSync(await pkg.path()) })).text();
  check(!signature.includes('verify'), signature);
  await zheng.go('/inbox');
  await zheng.page.click(`a[href="${at}"]`);
  zheng.expected.add(`${at}/acknowledgement`);
  await zheng.page.fill('#signature', signature.slice(0, -8) + 'AAAAAAA=');
  await zheng.press(zheng.w.send);
  await zheng.sees(zheng.w.badSignature);
  await zheng.shoot('countersign');
  await zheng.page.fill('#signature', '');
  await zheng.page.setInputFiles('#receipt', { name: 'receipt.txt', mimeType: 'text/plain', buffer: Buffer.from(signature + '\n') });
  await zheng.press(zheng.w.send);
  await zheng.sees(zheng.w.countersigned);
  await zheng.shoot('countersigned');
}

async function audit(yan, app) {
  await yan.go('/audit?limit=60');
  await yan.sees(yan.w.trace);
  for (const text of ['query.answered', 'handover.acknowledged', 'application.decided']) {
    await yan.go('/audit?kind=' + text);
    await yan.sees(text);
  }
  await yan.go('/audit?actor=li&limit=25');
  await yan.page.locator('details summary').first().click();
  await yan.shoot('audit');
  await yan.go('/audit/checkpoint');
  await yan.shoot('checkpoint');
  await yan.go(app);
  await yan.shoot('application-auditor');
}

// The pages on a telephone: nothing may be wider than the screen.
async function narrow(browser, visitor, paths) {
  const page = visitor.page;
  await page.setViewportSize({ width: 360, height: 740 });
  for (const [name, path] of paths) {
    await visitor.go(path);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    check(width <= 360, `${visitor.lang} ${path}: ${width} px wide on a screen of 360`);
    await visitor.shoot(`narrow-${name}`);
  }
}

// What is missing and what is not for one look the same.
async function strangers(v, app) {
  v.expected.add(app).add('/applications/ap-00000000000000000000');
  const texts = [];
  for (const path of [app, '/applications/ap-00000000000000000000']) {
    const reply = await v.page.goto(plan.base + path);
    check(reply.status() === 404, `${path} is not a 404 to a stranger`);
    texts.push(await v.page.locator('main').innerText());
  }
  check(texts[0] === texts[1] && texts[0].includes(v.w.notFound), 'a stranger can tell what is there from what is not');
}

async function journey(browser, staff, lang, seen) {
  await publicPages(browser, lang);
  for (const v of Object.values(staff)) await v.speak(lang);
  const app = await applyForQuery(staff.li);
  const grant = await decideAndSign(staff, staff.li, app, 'query');
  await ask(staff.li, grant);
  if (seen) await again(seen, check);
  else seen = await cases(staff, app, check);
  console.log(`${lang}, around the case: ${((Date.now() - started) / 1000).toFixed(1)} s`);
  const registry = await applyForHandover(staff.zheng);
  await handover(staff.feng, staff.zheng, await decideAndSign(staff, staff.zheng, registry, 'handover'));
  await audit(staff.yan, app);
  await strangers(staff.zheng, app);
  await narrow(browser, staff.li, [['catalogue', '/'], ['dataset', '/catalogue/jinhe'], ['form', '/applications/new'], ['application', app], ['grant', grant], ['ask', grant + '/ask'], ['applications', '/applications']]);
  await narrow(browser, staff.yan, [['audit', '/audit?limit=5']]);
  await staff.wu.press(staff.wu.w.logout);
  await staff.wu.go(grant);
  check(staff.wu.path() === '/login', 'logged out, and still in');
  await staff.wu.login('wu', plan.passwords.wu);
  check(staff.wu.path() === grant, 'the log-in does not lead to where one was going');
  return seen;
}

const started = Date.now();
const browser = await chromium.launch({
  executablePath: plan.chromium, headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const staff = {};
try {
  const accounts = ['li', 'chen', 'zhao', 'qian', 'sun', 'qin', 'zhou', 'wu', 'liang', 'zheng', 'feng', 'yan', 'wang', 'mei', 'an', 'he'];
  await Promise.all(accounts.map(async (account) => { staff[account] = await Visitor.enter(browser, 'zh', account); }));
  let seen; // what one language walked through is looked at in the other
  for (const lang of ['zh', 'en']) {
    seen = await journey(browser, staff, lang, seen);
    console.log(`${lang}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
  }
  check(faults.length === 0, faults.join('\n'));
} catch (e) {
  for (const [account, v] of Object.entries(staff)) await v.shoot('failed').catch(() => console.log(`no picture of ${account}'s page`));
  throw e;
} finally {
  await browser.close();
}
