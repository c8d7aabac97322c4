import { execFileSync } from 'node:child_process';
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { run } from './processes.js';

const ip = (...words: string[]): string => execFileSync('ip', words, { encoding: 'utf8', stdio: 'pipe' });

/** Why this machine lets nobody make network namespaces; undefined where it does. */
export const whyNoNamespaces = (): string | undefined => {
  const name = `hilo-try-${process.pid}`;
  try {
    ip('netns', 'add', name);
    try {
      ip('link', 'add', `ht${process.pid}`, 'type', 'veth', 'peer', 'name', `hu${process.pid}`);
      ip('link', 'del', `ht${process.pid}`);
    } finally {
      ip('netns', 'del', name);
    }
    return undefined;
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    return (stderr || message).trim().split('\n')[0];
  }
};

/** A network namespace with one link to this machine, which can be cut: then nothing comes through, and nobody is told. */
export class NetworkNamespace {
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly name: string,
    private readonly device: string,
    /** Of this machine, as the namespace reaches it. */
    readonly outside: string,
    /** Of the namespace, as this machine reaches it. */
    readonly inside: string,
  ) {}

  static create(): NetworkNamespace {
    const [name, device, peer] = ['hilo-', 'hv', 'hw'].map((prefix) => prefix + process.pid) as [
      string,
      string,
      string,
    ];
    const subnet = `10.213.${process.pid % 256}`;
    const made = new NetworkNamespace(name, device, `${subnet}.1`, `${subnet}.2`);
    try {
      ip('netns', 'add', name);
      ip('link', 'add', device, 'type', 'veth', 'peer', 'name', peer);
      ip('link', 'set', peer, 'netns', name);
      ip('addr', 'add', `${made.outside}/30`, 'dev', device);
      ip('link', 'set', device, 'up');
      for (const words of [`addr add ${made.inside}/30 dev ${peer}`, `link set ${peer} up`, 'link set lo up'])
        ip('-n', name, ...words.split(' '));
      return made;
    } catch (error) {
      ip('netns', 'del', name);
      throw error;
    }
  }

  /** What a command begins with that is to run inside. */
  get prefix(): readonly string[] {
    return ['ip', 'netns', 'exec', this.name];
  }

  /** Lets a server of this machine be reached from inside. @returns the port there */
  async expose(server: NetConnectOpts): Promise<number> {
    const forwarder = createServer((near) => {
      const far = connect(server);
      const ends = [near, far] as const;
      for (const [one, other] of [ends, [far, near] as const]) {
        this.sockets.add(one);
        one
          .on('error', () => other.destroy())
          .on('close', () => {
            this.sockets.delete(one);
            other.destroy();
          });
        one.pipe(other);
      }
    });
    this.servers.push(forwarder);
    await new Promise<void>((listening) => forwarder.listen(0, this.outside, listening));
    return (forwarder.address() as { port: number }).port;
  }

  cut(): Promise<string> {
    return run('ip', ['link', 'set', this.device, 'down']);
  }

  heal(): Promise<string> {
    return run('ip', ['link', 'set', this.device, 'up']);
  }

  /** What runs inside must have ended. */
  remove(): void {
    for (const server of this.servers) server.close();
    for (const socket of this.sockets) socket.destroy();
    ip('netns', 'del', this.name);
  }
}
