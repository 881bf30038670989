// What tests say in Node and in a browser alike.

/** A value as text that is equal exactly when the value is. */
export function canonical(value) {
  return JSON.stringify(value, (_, each) => {
    if (typeof each === 'bigint') return `${each}n`;
    if (each instanceof Uint8Array) return { bytes: [...each] };
    if (each === undefined) return 'undefined';
    if (each === null || typeof each !== 'object' || Array.isArray(each)) return each;
    return Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

export function equal(actual, expected, about = '') {
  const [got, wanted] = [canonical(actual), canonical(expected)];
  if (got !== wanted) throw new Error(`${about}\n  got    ${got}\n  wanted ${wanted}`);
}

export function ok(condition, about) {
  if (!condition) throw new Error(about);
}

/** Checks that `work` throws the error with this name of the numbered table, and answers it. */
export function fails(revwatch, name, work, about = '') {
  let answer;
  try {
    answer = work();
  } catch (error) {
    ok(error instanceof revwatch.RevwatchError, `${about} threw ${error}`);
    equal([error.name, error.code], [name, revwatch.errorCodes[name]], about);
    return error;
  }
  throw new Error(`${about} must fail with ${name}, but answered ${canonical(answer)}`);
}

/** The same for a promise. */
export async function rejects(revwatch, name, promise) {
  try {
    await promise;
  } catch (error) {
    return fails(revwatch, name, () => {
      throw error;
    });
  }
  throw new Error(`must fail with ${name}`);
}

/** A promise that the test can look at without waiting for it. */
export function observe(promise) {
  const seen = { settled: false, promise };
  promise.then(
    () => (seen.settled = true),
    () => (seen.settled = true),
  );
  return seen;
}

/** Lets all that is ready to run do so. */
export function turn() {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
