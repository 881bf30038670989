import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

// REVWATCH_SEED is the seed of the first history, REVWATCH_OPS the number of operations of them all.
const { REVWATCH_SEED: seed = '2001', REVWATCH_OPS: operations = '10400' } = process.env;

test('random histories get the answers that the model gives', () => {
  const folder = mkdtempSync(join(tmpdir(), 'revwatch-'));
  try {
    const program = ['run', '--quiet', '--release', '-p', 'revwatch-tests', '--bin', 'record-history'];
    const root = new URL('../../', import.meta.url);
    const options = { cwd: root, encoding: 'utf8' };
    console.log(execFileSync('cargo', [...program, '--', folder, seed, operations], options));
    const counts = {};
    const histories = readdirSync(folder);
    for (const file of histories) {
      const history = JSON.parse(readFileSync(join(folder, file), 'utf8'));
      try {
        runVector(revwatch, history);
      } catch (cause) {
        const repeat = `REVWATCH_SEED=${seed} REVWATCH_OPS=${operations}`;
        throw new Error(`${history.name} of ${repeat}: ${cause.message.slice(0, 4000)}`, { cause });
      }
      for (const { op } of history.steps) counts[op] = (counts[op] ?? 0) + 1;
    }
    console.log('repeated:', counts);
    const done = Object.values(counts).reduce((sum, count) => sum + count, 0);
    ok(histories.length > 0 && done >= Number(operations), `only ${done} operations`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

for (const [name, run] of Object.entries(suite)) test(name, () => run(revwatch));
