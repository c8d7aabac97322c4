import type { Installation } from '../installation.js';
import type { SideStreamId } from './records.js';
import type { SideStreams } from './side-streams.js';

/** Stored: for ever. */
const TYPE = 'InstallationValueKept';
const streamOf = (name: string): SideStreamId => `beside_installation-${encodeURIComponent(name)}`;

/** A stream for each value, which holds nothing else: whoever is first keeps it. */
export class EventStoreDbInstallation implements Installation {
  constructor(private readonly beside: SideStreams) {}

  async recall(name: string): Promise<string | undefined> {
    const found = await this.beside.find(streamOf(name), 0);
    return (found?.data as { value: string } | undefined)?.value;
  }

  async keep(name: string, value: string): Promise<string> {
    const known = await this.recall(name);
    if (known !== undefined) return known;
    return (await this.beside.add(streamOf(name), 0, TYPE, { value })) ? value : (await this.recall(name))!;
  }
}
