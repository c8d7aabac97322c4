/** How much of everything one round takes. */
export interface Sizes {
  rounds: number;
  /** Contacts of the sustained load, and so of the history that is rebuilt, exported and started with. */
  events: number;
  /** Customers the contacts are skewed over. */
  customers: number;
  /** Rows of the read model that pages are read from. */
  entries: number;
  entryCustomers: number;
  /** Posts of one contact over 64 connections. */
  posts: number;
  /** Posts of one contact, one after the other. */
  postsInTurn: number;
  /** Seconds of posts at a fixed rate. */
  offeredSeconds: number;
  /** Pages read in each way. */
  pages: number;
  starts: number;
  /** Seconds after the start at which the resting hub is weighed. */
  restSeconds: number;
  syncs: number;
}

export const FULL: Sizes = {
  rounds: 3,
  events: 1_000_000,
  customers: 20_000,
  entries: 5_000_000,
  entryCustomers: 200_000,
  posts: 40_000,
  postsInTurn: 6_000,
  offeredSeconds: 15,
  pages: 2_000,
  starts: 3,
  restSeconds: 5,
  syncs: 3_000,
};

export const QUICK: Sizes = {
  rounds: 3,
  events: 50_000,
  customers: 20_000,
  entries: 300_000,
  entryCustomers: 12_000,
  posts: 8_000,
  postsInTurn: 1_000,
  offeredSeconds: 4,
  pages: 500,
  starts: 2,
  restSeconds: 2,
  syncs: 800,
};
