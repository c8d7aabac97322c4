export { Metrics } from './health/metrics.js';
export { CustomerDirectory } from './customers/customer-directory.js';
export { IdentityFinder } from './customers/identity-finder.js';
export { WaitingReceipts } from './receipts/get-receipt.handler.js';
export { GetTimelineQuery } from './timeline/get-timeline.handler.js';
export { FindCustomersQuery } from './customers/find-customers.handler.js';
