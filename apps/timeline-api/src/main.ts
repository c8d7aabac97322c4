import { refuseWithoutSharedEngines } from '#libs/kernel/engines.js';

// read models to HTTP: runs the queries.
// It meets its neighbours in shared engines. This release has none, so it says which settings stand in the way and ends.
refuseWithoutSharedEngines(process.env, 'timeline-api', ['eventStoreUrl', 'readModelUrl']);
