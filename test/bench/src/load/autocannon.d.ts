declare module 'autocannon' {
  export interface Request {
    method?: 'GET' | 'POST';
    path?: string;
    headers?: Record<string, string>;
    body?: string;
    /** Called before every request; what it returns is sent. */
    setupRequest?: (request: Request) => Request;
    onResponse?: (status: number, body: string) => void;
  }

  export interface Options {
    url: string;
    connections: number;
    /** Requests in all. */
    amount: number;
    /** Seconds. */
    timeout?: number;
    requests: Request[];
  }

  export interface Result {
    errors: number;
    timeouts: number;
    non2xx: number;
    '2xx': number;
  }

  const autocannon: (options: Options) => Promise<Result>;
  export default autocannon;
}
