import { codeOf } from '#libs/kernel';
import type { Decider, DomainEvent } from '#libs/domain';

/** Given past events, when a command is decided, then exactly these events follow, nothing does, or it is refused. */
export const specFor = <Command, State, Event extends DomainEvent>(decider: Decider<Command, State, Event>) => ({
  given: (past: Event[]) => ({
    when: (command: Command) => {
      const decide = () =>
        decider.decide(
          command,
          past.reduce((state, event) => decider.evolve(state, event), decider.initialState),
        );
      return {
        thenEvents: (expected: Event[]) => expect(decide()).toEqual(expected),
        thenNothing: () => expect(decide()).toEqual([]),
        thenRefused: (code: string) => {
          let refusal: unknown;
          try {
            decide();
          } catch (error) {
            refusal = error;
          }
          expect(codeOf(refusal)).toBe(code);
        },
      };
    },
  }),
});
