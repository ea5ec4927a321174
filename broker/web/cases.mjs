// The pages around a case, as those people use them whom it concerns: the applicant who is asked, appeals and amends; reviewers who
// ask, invite, recuse themselves and take a vote back; the offices that clear data to go abroad; who prints and seals; who keeps the
// registers. Each page is looked at on a wide and on a narrow screen.
import { randomBytes } from 'node:crypto';

const hash = () => 'sha256:' + randomBytes(32).toString('hex');
const paper = (name) => ({ name: name + '.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7\n% ' + hash() + '\n%%EOF\n') });
const inDays = (n) => new Date(Date.now() + n * 86400000).toISOString().slice(0, 10);
const year = new Date().getFullYear();

// What is wrong with a page that a reader of this language would notice: more or fewer than one heading, a field that says not what it
// is for, words of the other language, a hole where a text was to be.
function flaws(lang) {
  const out = [];
  const han = /\p{Script=Han}/u;
  const h1 = document.querySelectorAll('h1');
  if (h1.length !== 1) out.push(`${h1.length} main headings`);
  if (document.documentElement.lang !== (lang === 'zh' ? 'zh-CN' : 'en')) out.push(`written in ${document.documentElement.lang}`);
  for (const x of document.querySelectorAll('main input:not([type=hidden]), main select, main textarea')) {
    if (x.labels.length === 0 && !x.getAttribute('aria-label')) out.push(`no label for ${x.name}`);
  }
  const ids = [...document.querySelectorAll('[id]')].map((x) => x.id);
  for (const id of ids.filter((v, i) => ids.indexOf(v) !== i)) out.push(`two things are called ${id}`);
  for (const x of document.querySelectorAll('nav a, h2, h3, label, legend, summary, th, button, dt, .tabs a, .tag, .course span')) {
    const words = [...x.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join('').trim();
    if (lang === 'en' && han.test(words) && !x.closest('.paper, .sheet')) out.push(`Chinese: ${words}`);
    if (lang === 'zh' && /[a-z]{4,}/.test(words) && !han.test(words) && !/^[a-z0-9/:. _-]*$/.test(words)) out.push(`English: ${words}`);
  }
  if (/%!|<nil>|undefined|\[object/.test(document.body.innerText)) out.push('a place was not filled');
  return out;
}

// The pages that were looked at, by whom.
class Seen {
  constructor() { this.pages = []; }
  add(v, name, path) { if (!this.pages.some((p) => p.v === v && p.path === path)) this.pages.push({ v, name, path }); }
}

// again looks at all of them in the language that their readers speak now.
export async function again(seen, check) {
  for (const { v, name, path } of seen.pages) {
    await v.go(path);
    await inspect(v, name, check);
  }
}

// look checks a page now and has it looked at again in the other language.
async function look(v, name, check, seen) {
  await inspect(v, name, check);
  seen.add(v, name, v.path());
}

// inspect checks a page as it stands on a screen of 1280 and of 360 pixels, and that who goes on by keyboard sees where he is.
export async function inspect(v, name, check) {
  await v.page.waitForLoadState('load');
  const where = `${v.lang} ${v.path()}`;
  const wrong = await v.page.evaluate(flaws, v.lang);
  check(wrong.length === 0, `${where} (${name}): ${wrong.join('; ')}`);
  for (const [width, suffix] of [[360, '-narrow'], [1280, '']]) {
    await v.page.setViewportSize({ width, height: 860 });
    const wide = await v.page.evaluate(() => document.documentElement.scrollWidth);
    check(wide <= width, `${where}: ${wide} px wide on a screen of ${width}`);
    await v.shoot(name + suffix);
  }
  await v.page.keyboard.press('Tab');
  const seen = await v.page.evaluate(() => { const a = document.activeElement; return a === document.body || a.matches(':focus-visible') && getComputedStyle(a).outlineStyle !== 'none'; });
  check(seen, `${where}: what has the focus cannot be seen`);
}

// cases takes every step once, and gives back the pages that it led over.
export async function cases(staff, granted, check) {
  const seen = new Seen();
  const { li, wang, chen, mei, zhao, qian, sun, zhou, wu, an, liang, zheng, he, yan } = staff;
  const zh = li.lang === 'zh';
  const at = (v, action) => v.page.locator(`form[action$="${action}"]`);
  const open = async (v, form) => { // forms that are folded away
    const fold = form.locator('xpath=ancestor::details');
    if (await fold.count() && !(await fold.first().evaluate((d) => d.open))) await fold.first().locator('summary').first().click();
  };
  const send = async (v, action, fields = {}) => {
    const form = at(v, action).first();
    await open(v, form);
    for (const [name, value] of Object.entries(fields)) {
      const field = form.locator(`[name="${name}"]`).first();
      const kind = await field.evaluate((x) => x.tagName === 'SELECT' ? 'select' : x.type);
      if (kind === 'select') await field.selectOption(value);
      else if (kind === 'checkbox') await field.check();
      else if (kind === 'radio') await form.locator(`[name="${name}"][value="${value}"]`).check();
      else if (kind === 'file') await field.setInputFiles(value);
      else await field.fill(value);
    }
    await form.locator('button').first().click();
    await v.page.waitForLoadState('load');
  };
  const refused = async (v, path, rule) => {
    check((await v.page.locator('.note.bad').count()) === 1, `${v.lang} ${path}: no refusal is shown`);
    await v.sees(rule);
  };

  // A new application out of a former one; a question about it stops the clock until it is answered, with a file.
  await li.go(granted);
  await send(li, '/copy');
  const app = li.path();
  await send(li, '/submit');
  await chen.go('/inbox?when=soon');
  await chen.go('/inbox');
  await look(chen, 'inbox-filtered', check, seen);
  await chen.page.locator(`table.todo a[href="${app}"]`).focus();
  await chen.page.keyboard.press('Enter');
  await chen.page.waitForURL('**' + app);
  await look(chen, 'case', check, seen);
  await send(chen, '/ask', { question: zh ? '样本量是怎样估计的？请上传说明。' : 'How was the sample size estimated? Please attach a note.' });
  await look(chen, 'case-asked', check, seen);
  check(await chen.page.locator('#questions .note.wait').count() === 1, 'the question does not wait for its answer');
  await li.go('/inbox');
  await li.page.click(`a[href="${app}"]`);
  await send(li, '/attachments', { file: { name: 'sample-size.txt', mimeType: 'text/plain', buffer: Buffer.from(zh ? '按效应量估计。' : 'Estimated from the effect size.') } });
  await li.sees('sample-size.txt');
  await send(li, '/answer', { answer: zh ? '按既往研究的效应量估计，说明见附件。' : 'From the effect size of earlier studies; the note is attached.' });
  await look(li, 'case-answered', check, seen);

  // Somebody from outside is invited; one of the board takes no part; a vote is taken back.
  await chen.go(app);
  chen.expected.add('/invitations');
  await send(chen, '/invitations', { review: 'ethics', account: 'wang', until: inDays(20) }); // of the applicant's own house
  await refused(chen, app, 'chongqing-integrity/impartial');
  await send(chen, '/invitations', { review: 'ethics', account: 'liang', until: inDays(20) });
  await look(chen, 'invitations', check, seen);
  await liang.go('/inbox');
  await liang.page.locator('a[href="/invitations"]').last().click();
  await look(liang, 'invited', check, seen);
  await send(liang, '/accept', { confidential: 'yes', conflict: 'none' });
  await liang.go(app);
  await look(liang, 'case-external', check, seen);
  await mei.go(app);
  await send(mei, '/recuse', { reason: zh ? '与申请人同为一项研究的作者。' : 'Author of a study together with the applicant.' });
  await look(mei, 'case-recused', check, seen);
  await chen.go(app);
  await opine(chen, app, 'reject');
  await send(chen, '/retract');
  await chen.go(app);
  for (const [v, verdict] of [[chen, 'reject'], [liang, 'reject'], [zhao, 'approve'], [qian, 'approve'], [sun, 'approve']]) await opine(v, app, verdict);
  await zhou.go(app);
  await send(zhou, '/decide', { grounds: zh ? '伦理审查未通过，不予批准。' : 'The ethics board rejected it.', choice: 'deny' });
  await look(zhou, 'case-denied', check, seen);
  await li.go(app);
  await send(li, '/appeal', { appeal: zh ? '附件已说明样本量，请另组审查。' : 'The note explains the sample size; another panel should read it.' });
  await look(li, 'case-appeal', check, seen);
  check(await li.page.locator('#appeals .panel li').count() > 0, 'the other panel is not shown');

  // What was granted is amended, field by field, and renewed.
  await li.go(granted);
  await send(li, '/amend');
  await li.page.locator('a[href$="/edit"]').first().click();
  await li.page.fill('#title', zh ? '医院等级与卒中救治（扩大）' : 'Hospital grade and stroke care, extended');
  await li.page.fill('#to', `${year + 2}-06-30`);
  await li.page.locator('form.apply button.primary').click();
  await li.page.waitForLoadState('load');
  await look(li, 'amendment', check, seen);
  check(await li.page.locator('#amended ins').count() >= 2, 'the amendment shows no differences');
  await li.go(granted);
  await send(li, '/renew');
  await look(li, 'renewal', check, seen);

  // Every document that there is, on paper and on the screen; and the sealed one comes back as a scan.
  await wu.go(granted);
  const papers = await wu.page.locator('#print a').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
  check(papers.length === 5, `there are ${papers.length} documents to print`);
  for (const paper of papers) {
    await wu.go(paper);
    await look(wu, 'print-' + paper.split('/').pop(), check, seen);
    await wu.page.emulateMedia({ media: 'print' });
    check(!(await wu.page.locator('header').isVisible()) && !(await wu.page.locator('.screen').isVisible()) && await wu.page.locator('.sheet').isVisible(), `${paper}: on paper is more than the paper`);
    if (paper.endsWith('decision')) await wu.shoot('paper-decision');
    await wu.page.emulateMedia({ media: 'screen' });
  }
  await wu.go(granted + '/agreement');
  await send(wu, '/seal', { file: paper('scan') });
  await look(wu, 'sealed', check, seen);

  // Data to go abroad: the responsible unit files, two offices clear, each under its number.
  await wu.go('/abroad');
  await wu.page.locator('details.panel > summary').click();
  await wu.page.locator('input[value="jinhe:encounter.*"]').check({ force: true });
  await look(wu, 'abroad-form', check, seen);
  await wu.page.locator('details.panel').evaluate((d) => { d.open = false; });
  await send(wu, '/abroad', { applicant: 'jinhe-university', recipient: 'partner-university', country: zh ? '新加坡' : 'Singapore', rows: '20000', until: inDays(300), file: paper('assessment'), way: 'standard-contract', way_number: `CAC-${year}-3`, way_until: inDays(300), contract: paper('contract'), reason: zh ? '合作研究的复核。' : 'Verification within a joint study.' });
  const file = wu.path();
  check(file.startsWith('/abroad/'), `filing leads to ${file}`);
  await look(wu, 'abroad-filed', check, seen);
  for (const [v, office] of [[zhou, 'authority'], [an, 'security']]) {
    await v.go(file);
    await look(v, 'abroad-' + office, check, seen);
    await send(v, '/clear', { number: `${office.slice(0, 3).toUpperCase()}-${year}-17`, file: paper(office) });
  }
  check(await an.page.locator('.state-cleared').count() === 1, 'two offices cleared it, and it is not cleared');
  await look(an, 'abroad-cleared', check, seen);
  await yan.go('/abroad');
  await look(yan, 'abroad', check, seen);

  // The registers: an institution is entered and changed by the authority, its office named by itself; interests are declared and ended.
  await zhou.go('/institutions');
  const id = `jinhe-clinic-${zh ? 'zh' : 'en'}`;
  await send(zhou, '/institutions', { id, name_zh: '金河市社区诊所', name_en: 'Community Clinic of Jinhe', level: 'city', region: '519900', supervisor: 'jinhe-health-commission' });
  check(zhou.path() === '/institutions/' + id, `registering leads to ${zhou.path()}`);
  await look(zhou, 'institution', check, seen);
  await send(zhou, '/institutions/' + id, { platform: 'jinhe-municipal-platform', connected: inDays(-1) });
  await look(zhou, 'institution-changed', check, seen);
  await zhou.go('/institutions');
  await look(zhou, 'institutions', check, seen);
  await zheng.go('/institutions/jinhe-qc-centre');
  await send(zheng, '/institutions/jinhe-qc-centre', { department: '质控办公室', post: '数据管理岗' });
  await look(zheng, 'institution-own', check, seen);
  await mei.go('/interests');
  await send(mei, '/interests', { institution: 'jinhe-data-laboratory', until: inDays(300) });
  await look(mei, 'interests', check, seen);
  await he.go('/interests');
  await he.page.locator('form[action$="/end"] button').first().click();
  await look(he, 'interests-ended', check, seen);
  for (const path of ['/meetings', '/deputies']) {
    await chen.go(path);
    await look(chen, path.slice(1), check, seen);
  }
  await wang.go('/inbox');
  await look(wang, 'inbox-empty', check, seen);
  return seen;
}

async function opine(v, app, verdict) {
  await v.go(app);
  await v.page.fill('textarea[name=findings]', v.lang === 'zh' ? '审阅材料后提出的意见。' : 'After reading the file.');
  for (const finding of await v.page.locator('.finding').all()) await finding.locator('input').nth(verdict === 'reject' ? 1 : 0).check();
  await v.page.check(`input[name=verdict][value=${verdict}]`);
  await v.page.locator('form[action$="/review"] button').click();
  await v.page.waitForLoadState('load');
}
