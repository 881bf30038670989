// The package as its users get it, and what happens when the module stops.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { equal, ok } from './check.mjs';

const pkg = fileURLToPath(new URL('../pkg', import.meta.url));
const wasm = fileURLToPath(new URL('..', import.meta.url));

/** Runs a program that has the package among its node_modules. */
function program(name, source, run) {
  const folder = mkdtempSync(join(tmpdir(), 'revwatch-'));
  try {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(pkg, join(folder, 'node_modules', 'revwatch'), 'dir');
    writeFileSync(join(folder, name), source);
    return run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const node = (source) =>
  program('main.mjs', source, (folder) =>
    execFileSync(process.execPath, [join(folder, 'main.mjs')], { encoding: 'utf8' }).trim(),
  );

test('a program in Node imports it by its name, and ends when it has nothing to do', () => {
  const output = node(`
    import { init, Store, utf8 } from 'revwatch';
    await init();
    const store = Store.memory();
    store.watch(utf8('k')).next();
    store.put(utf8('k'), utf8('v'));
    console.log(utf8(store.get(utf8('k')).value));
  `);
  equal(output, 'v');
});

test('a program in Node may import each of its files by their paths', () => {
  for (const name of ['index.js', 'node.js']) {
    const output = node(`
      import { init, Store } from './node_modules/revwatch/${name}';
      await init();
      console.log(Store.memory().status().revision);
    `);
    equal(output, '1n', name);
  }
});

test('where Node cannot give it the file, init says what to do, and may be called again', () => {
  const output = node(`
    import { readFileSync } from 'node:fs';
    import { init, Store } from './node_modules/revwatch/index.js';
    process.getBuiltinModule = undefined; // as before Node 20.16
    await init().catch((error) => console.log(error.message));
    await init(readFileSync('${join(pkg, 'revwatch_wasm_bg.wasm')}'));
    console.log(Store.memory().status().revision);
  `);
  const [message, revision] = output.split('\n');
  ok(/import node\.js.*or 'revwatch' by name/.test(message), message);
  equal(revision, '1n');
});

test('the package has the version of the workspace', () => {
  const cargo = readFileSync(new URL('../../Cargo.toml', import.meta.url), 'utf8');
  const { version } = JSON.parse(readFileSync(join(pkg, 'package.json'), 'utf8'));
  equal(version, /^version = "(.*)"$/m.exec(cargo)[1]);
});

test('the example of the README prints what its comments say', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, example] = /```js\n(.*?)```/s.exec(readme);
  equal(node(example), '2n PUT task/1\n3n PUT task/1\n4n DELETE task/1');
});

test('a module that stops says so as Internal, then and ever after', () => {
  const output = node(`
    import { errorCodes, init, Store, utf8 } from 'revwatch';
    import { enter } from './node_modules/revwatch/module.js';
    await init();
    const store = Store.memory();
    const failures = [];
    const note = (work) => { try { work(); } catch (error) { failures.push(error.name); } };
    note(() => enter(() => { throw new WebAssembly.RuntimeError('unreachable'); }));
    note(() => store.put(utf8('k'), utf8('v')));
    note(() => Store.memory());
    store.free();
    console.log(failures.join());
  `);
  equal(output, 'Internal,Internal,Internal');
});

test('a real trap in the module tells why', () => {
  const output = node(`
    import { init, Store } from 'revwatch';
    import { enter } from './node_modules/revwatch/module.js';
    import { open } from './node_modules/revwatch/revwatch_wasm.js';
    await init();
    // A request that the package itself refuses to write: transactions nested a million deep.
    const raw = open(new Uint8Array(15 * 8), new Uint8Array(0)).take();
    const deep = new Uint8Array(9_000_000);
    const view = new DataView(deep.buffer);
    for (let at = 4; at + 9 <= deep.length; at += 9) { view.setUint32(at, 1, true); view.setUint8(at + 4, 3); }
    try { enter(() => raw.txn(deep)); } catch (error) { console.log(error.name, error.cause !== undefined); }
    try { Store.memory(); } catch (error) { console.log(error.name); }
  `);
  equal(output, 'Internal true\nInternal');
});

test('a strict TypeScript program of a user compiles against the types', () => {
  const source = readFileSync(new URL('types.ts', import.meta.url), 'utf8');
  program('main.ts', source, (folder) => {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const options = ['--strict', '--noEmit', '--module', 'NodeNext', '--target', 'ES2022'];
    const lib = ['--lib', 'ES2022,DOM,ESNext.Disposable', '--types', ''];
    const tsc = join(wasm, 'node_modules', '.bin', 'tsc');
    execFileSync(tsc, [...options, ...lib, 'main.ts'], { cwd: folder, encoding: 'utf8' });
  });
});

test('the names of errors are those of the table in the core', () => {
  const table = readFileSync(new URL('../../core/src/error.rs', import.meta.url), 'utf8');
  const rows = [...table.matchAll(/^ {4}(\w+) = (\d{3}),$/gm)].map(([, name, number]) => `${name} ${number}`);
  const output = node(`
    import { errorCodes } from 'revwatch';
    for (const [name, number] of Object.entries(errorCodes)) console.log(name, number);
  `);
  ok(rows.length > 20, 'the table was not found');
  equal(output.split('\n'), rows);
});

test('the package carries no address of the machine that built it', () => {
  const bytes = readFileSync(join(pkg, 'revwatch_wasm_bg.wasm')).toString('latin1');
  const home = process.env.HOME ?? '/home';
  ok(!bytes.includes(join(home, '.cargo')), 'the wasm names a folder under the home folder');
  ok(!bytes.includes(wasm), 'the wasm names the folder of the repository');
});
