/**
 * One line of queue_log: `epoch|call id|queue|agent|event|data…`.
 * https://docs.asterisk.org/Configuration/Applications/Asterisk-Queues/Queue-Logs/
 */
export interface QueueLogLine {
  /** Epoch milliseconds. */
  atMs: number;
  /** Unique id of the channel: `<epoch>.<count>`; `NONE` and the like where no call is concerned. */
  callId: string;
  queue: string;
  agent: string;
  event: string;
  data: readonly string[];
}
