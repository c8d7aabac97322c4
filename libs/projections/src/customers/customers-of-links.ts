/** An active link: keys of the identities that it joins. */
export interface ActiveLink {
  a: number;
  b: number;
}

/** An identity that belongs to the customer of an earlier one. */
export interface Joined {
  identity: number;
  customer: number;
}

/**
 * Whom links make of identities: the customer of each is the lowest key that it is linked with, by way of any others.
 * @returns only those whose customer is not their own key
 */
export const customersOfLinks = (links: Iterable<ActiveLink>): Joined[] => {
  const lower = new Map<number, number>();
  const lowest = (identity: number): number => {
    let root = identity;
    for (let next = lower.get(root); next !== undefined; next = lower.get(root)) root = next;
    // The next walk from here is one step.
    for (let place = identity; place !== root;) {
      const next = lower.get(place)!;
      lower.set(place, root);
      place = next;
    }
    return root;
  };
  for (const { a, b } of links) {
    const [one, other] = [lowest(a), lowest(b)];
    if (one !== other) lower.set(Math.max(one, other), Math.min(one, other));
  }
  return [...lower.keys()].map((identity) => ({ identity, customer: lowest(identity) }));
};
