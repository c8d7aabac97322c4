/** A past-tense fact; `type` outlives every class and file name. */
export interface DomainEvent {
  type: string;
  data: object;
}

/**
 * The rules of one kind of stream as two pure functions and a value. `decide` answers with the events that follow
 * from a command, `[]` when nothing is left to do, and throws a coded `HubError` when an invariant would break.
 */
export interface Decider<Command, State, Event extends DomainEvent> {
  initialState: State;
  decide(command: Command, state: State): Event[];
  evolve(state: State, event: Event): State;
}
