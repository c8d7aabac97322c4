export type { HealthCheck } from './health/readiness.js';
export type { Metrics } from './health/metrics.js';
export { ConversationFinder } from './conversations/conversation-finder.js';
export { CustomerDirectory } from './customers/customer-directory.js';
export { ErasureFindings } from './erasure/erasure-findings.js';
export { IdentityFinder } from './customers/identity-finder.js';
export { WaitingReceipts } from './receipts/get-receipt.handler.js';
export { GetTimelineQuery } from './timeline/get-timeline.handler.js';
export { FindCustomersQuery } from './customers/find-customers.handler.js';
