import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as revwatch from '../pkg/node.js';
import { fails, ok } from './check.mjs';
import { runVector, suite } from './suite.mjs';

const vectors = new URL('../../tests/vectors/', import.meta.url);
const files = readdirSync(vectors).filter((name) => name.endsWith('.json'));

test('before init everything says that revwatch is not loaded', () => {
  const error = fails(revwatch, 'Closed', () => revwatch.Store.memory());
  ok(error.message.includes('init'), error.message);
});

test('revwatch loads in Node, and once more at no cost', async () => {
  await revwatch.init();
  await revwatch.init();
});

test('there are vectors', () => ok(files.length > 0, 'tests/vectors holds no *.json'));

for (const file of files) {
  test(`vector ${file}`, () => {
    runVector(revwatch, JSON.parse(readFileSync(new URL(file, vectors), 'utf8')));
  });
}

for (const [name, run] of Object.entries(suite)) test(name, () => run(revwatch));
