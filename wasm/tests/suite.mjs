// The tests that hold in Node and in a browser alike: each a name and a function of the package.

import { tests as cursors } from './cases/cursors.mjs';
import { tests as bounds } from './cases/bounds.mjs';
import { tests as errors } from './cases/errors.mjs';
import { tests as handles } from './cases/handles.mjs';
import { tests as iterators } from './cases/iterators.mjs';
import { tests as leases } from './cases/leases.mjs';
import { tests as snapshots } from './cases/snapshots.mjs';
import { tests as store } from './cases/store.mjs';
import { tests as watching } from './cases/watching.mjs';

export const suite = {
  ...store,
  ...bounds,
  ...errors,
  ...handles,
  ...cursors,
  ...iterators,
  ...watching,
  ...leases,
  ...snapshots,
};
export { runVector } from './vectors.mjs';
