import { Agent, request } from 'node:http';

export interface Answer {
  status: number;
  text: string;
}

/** A client with a fixed number of connections that stay open. */
export class HttpCaller {
  private readonly agent: Agent;
  private readonly host: string;
  private readonly port: number;

  constructor(
    url: string,
    private readonly key: string,
    connections: number,
  ) {
    const { hostname, port } = new URL(url);
    this.host = hostname;
    this.port = Number(port);
    this.agent = new Agent({ keepAlive: true, maxSockets: connections, noDelay: true });
  }

  get(path: string): Promise<Answer> {
    return this.send('GET', path);
  }

  post(path: string, json: string): Promise<Answer> {
    return this.send('POST', path, json);
  }

  close(): void {
    this.agent.destroy();
  }

  private send(method: string, path: string, json?: string): Promise<Answer> {
    const body = json === undefined ? undefined : Buffer.from(json);
    const headers = {
      authorization: `Bearer ${this.key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length }),
    };
    return new Promise((resolve, reject) => {
      const sent = request(
        { host: this.host, port: this.port, method, path, headers, agent: this.agent },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('end', () =>
            resolve({ status: response.statusCode!, text: Buffer.concat(parts).toString('utf8') }),
          );
          response.on('error', reject);
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }
}

/** The position that the last result of an ingest answer names. */
export const lastPosition = (text: string): number => {
  const at = text.lastIndexOf('"position":');
  if (at < 0) throw new Error(`no position in ${text.slice(0, 200)}`);
  return Number.parseInt(text.slice(at + 11, at + 31), 10);
};
