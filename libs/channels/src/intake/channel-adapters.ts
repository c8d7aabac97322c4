import type { ChannelAdapter } from '../channel-adapter.port.js';

/** The adapters of this program, by the name that accounts declare. */
export class ChannelAdapters {
  private readonly byNames: ReadonlyMap<string, ChannelAdapter>;

  constructor(readonly all: readonly ChannelAdapter[]) {
    this.byNames = new Map(all.map((adapter) => [adapter.name, adapter]));
  }

  byName(name: string): ChannelAdapter | undefined {
    return this.byNames.get(name);
  }

  names(): string[] {
    return [...this.byNames.keys()].toSorted();
  }
}
