// The vectors and the suite in a real browser, and the demo page as a visitor uses it.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { equal, ok } from './check.mjs';
import { serve } from './server.mjs';
import { suite } from './suite.mjs';

const vectors = new URL('../../tests/vectors/', import.meta.url);
const files = readdirSync(vectors).filter((name) => name.endsWith('.json'));
const executable =
  process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/google-chrome'].find(existsSync);
const args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let server;
let browser;
const userData = mkdtempSync(join(tmpdir(), 'revwatch-chromium-'));

before(async () => {
  ok(executable, 'no Chromium found: install it, or name it in CHROMIUM');
  server = await serve();
  browser = await chromium.launchPersistentContext(userData, {
    executablePath: executable,
    args,
    ignoreDefaultArgs: ['--headless=old'],
  });
});

after(async () => {
  await browser?.close();
  server?.close();
  rmSync(userData, { recursive: true, force: true });
});

/** A page that fails the test when anything in it fails. */
async function open(path, size = { width: 1100, height: 1000 }) {
  const page = await browser.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('requestfailed', (request) => problems.push(`could not load ${request.url()}`));
  await page.setViewportSize(size);
  await page.goto(server.origin + path);
  return { page, problems };
}

describe('in the page', () => {
  let page;
  before(async () => {
    ({ page } = await open('/tests/page.html'));
    await page.evaluate(async () => {
      globalThis.revwatch = await import('/pkg/index.js');
      globalThis.tests = await import('/tests/suite.mjs');
      await globalThis.revwatch.init();
    });
  });
  after(() => page.close());

  test('there are vectors', () => ok(files.length > 0, 'tests/vectors holds no *.json'));

  for (const file of files) {
    test(`vector ${file}`, async () => {
      const text = readFileSync(new URL(file, vectors), 'utf8');
      await page.evaluate((json) => {
        globalThis.tests.runVector(globalThis.revwatch, JSON.parse(json));
      }, text);
    });
  }

  for (const name of Object.keys(suite)) {
    test(name, () => page.evaluate((each) => globalThis.tests.suite[each](globalThis.revwatch), name));
  }

  test('no page needs special headers', async () => {
    equal(await page.evaluate(() => globalThis.crossOriginIsolated), false);
  });
});

test('revwatch works in a worker', async () => {
  const { page } = await open('/tests/page.html');
  const answer = await page.evaluate(
    (origin) =>
      new Promise((resolve, reject) => {
        const source = `
          import { init, Store, utf8 } from '${origin}/pkg/index.js';
          await init();
          const store = Store.memory();
          store.put(utf8('k'), utf8('v'));
          postMessage(store.get(utf8('k')).modRevision);
        `;
        const address = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
        const worker = new Worker(address, { type: 'module' });
        worker.onmessage = ({ data }) => resolve(`${data}`);
        worker.onerror = ({ message }) => reject(new Error(message));
      }),
    server.origin,
  );
  equal(answer, '2');
  await page.close();
});

describe('the demo page', () => {
  const part = (page, watcher, name) => page.locator(`#${watcher} [data-part="${name}"]`);
  const texts = (page, watcher) => part(page, watcher, 'events').locator('.what').allTextContents();

  test('a put and a delete arrive at both watchers and in the state', async () => {
    const { page, problems } = await open('/demo/?slow-ms=100');
    await page.getByLabel('Key').fill('fruit');
    await page.getByLabel('Value').fill('plum');
    await page.getByRole('button', { name: 'Put' , exact: true }).click();
    for (const watcher of ['fast', 'slow']) {
      await page.locator(`#${watcher} .what`, { hasText: 'fruit = plum' }).waitFor();
    }
    await page.locator('#state td', { hasText: 'plum' }).waitFor();
    await page.getByRole('button', { name: 'Delete' }).click();
    for (const watcher of ['fast', 'slow']) {
      await page.locator(`#${watcher} .DELETE`).waitFor();
      equal(await texts(page, watcher), ['fruit', 'fruit = plum']);
    }
    await page.waitForFunction(() => document.querySelectorAll('#state tr').length === 0);
    equal(await page.locator('#revision').textContent(), '3');
    equal(problems, []);
    await page.close();
  });

  test('after a burst the slow watcher falls behind, and catches up with nothing lost', async () => {
    const { page, problems } = await open('/demo/?slow-ms=150');
    await page.locator('#slow[data-state="synced"]').waitFor();
    // States pass too quickly to be waited for, so the page writes down those that it shows.
    await page.evaluate(() => {
      const shown = { fast: [], slow: [] };
      globalThis.shown = shown;
      for (const watcher of ['fast', 'slow']) {
        const section = document.getElementById(watcher);
        const lag = section.querySelector('[data-part="lag"]');
        const note = () => shown[watcher].push([section.dataset.state, Number(lag.textContent)]);
        new MutationObserver(note).observe(section, { subtree: true, childList: true, attributes: true });
      }
    });
    await page.getByRole('button', { name: '500 puts' }).click();
    for (const watcher of ['fast', 'slow']) {
      await page.locator(`#${watcher} [data-part="received"]`, { hasText: /^500$/ }).waitFor();
    }
    const shown = await page.evaluate(() => globalThis.shown);
    ok(shown.slow.some(([state]) => state === 'victim'), 'the slow watcher was never a victim');
    ok(shown.slow.some(([, lag]) => lag > 100), 'the slow watcher was not behind');
    equal(shown.slow.at(-1), ['synced', 0]);
    for (const watcher of ['fast', 'slow']) {
      equal(await part(page, watcher, 'seen').textContent(), '501');
      equal(await part(page, watcher, 'received').textContent(), '500');
      equal(await part(page, watcher, 'missed').textContent(), '0');
    }
    equal(await page.locator('#state tr').count(), 10);
    equal(problems, []);
    await page.close();
  });

  test('an empty key is explained, not lost', async () => {
    const { page } = await open('/demo/');
    await page.getByLabel('Key').fill('');
    await page.getByRole('button', { name: 'Delete' }).click();
    ok((await page.locator('#message').textContent()).startsWith('Refused'), 'no explanation');
    await page.close();
  });

  test('it fits a narrow screen and names its controls', async () => {
    const { page } = await open('/demo/', { width: 360, height: 740 });
    await page.getByRole('button', { name: '500 puts' }).click();
    const { scroll, client } = await page.evaluate(() => ({
      scroll: document.documentElement.scrollWidth,
      client: document.documentElement.clientWidth,
    }));
    ok(scroll <= client, `the page is ${scroll} wide in ${client}`);
    const unnamed = await page.evaluate(() =>
      [...document.querySelectorAll('input, button, section, form, [tabindex]')]
        .filter((each) => !each.labels?.length && !each.textContent.trim())
        .filter((each) => !each.hasAttribute('aria-label') && !each.hasAttribute('aria-labelledby'))
        .map((each) => each.outerHTML),
    );
    equal(unnamed, []);
    await page.close();
  });
});
