import { refuseWithoutSharedEngines } from '#libs/kernel/engines.js';

// event store to read models: runs the projections.
// It meets its neighbours in shared engines. This release has none, so it says which settings stand in the way and ends.
refuseWithoutSharedEngines(process.env, 'projector', ['eventStoreUrl', 'readModelUrl']);
