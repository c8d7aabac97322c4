import { refuseWithoutSharedEngines } from '#libs/kernel/engines.js';

// edge only: deliveries in, inbound interactions onto the bus.
// It meets its neighbours in shared engines. This release has none, so it says which settings stand in the way and ends.
refuseWithoutSharedEngines(process.env, 'ingest', ['busUrl']);
