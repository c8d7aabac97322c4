import { refuseWithoutSharedEngines } from '#libs/kernel/engines.js';

// bus to event store: runs intake and the command handlers.
// It meets its neighbours in shared engines. This release has none, so it says which settings stand in the way and ends.
refuseWithoutSharedEngines(process.env, 'recorder', ['busUrl', 'eventStoreUrl']);
