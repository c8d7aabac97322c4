import { Presets, SingleBar } from 'cli-progress';

/** Tells on stderr how far long work has come: a bar on a terminal, a plain line now and then elsewhere. */
export interface Progress {
  /** @param text figures of the moment, for example `12,400 contacts, 3,100/s` */
  update(done: number, total: number, text: string): void;
  /** Takes the bar away; nothing may follow. */
  stop(): void;
}

const LINE_EVERY_MS = 5000;

export const startProgress = (what: string, stream: NodeJS.WriteStream = process.stderr): Progress =>
  stream.isTTY ? bar(what, stream) : lines(what, stream);

const bar = (what: string, stream: NodeJS.WriteStream): Progress => {
  const single = new SingleBar(
    {
      format: `${what} [{bar}] {percentage}%  {text}`,
      stream,
      clearOnComplete: true,
      hideCursor: true,
      barsize: 24,
      fps: 8,
      // The work handles Ctrl-C itself, and stops the bar after it has come to a good end.
      gracefulExit: false,
    },
    Presets.legacy,
  );
  let started = false;
  return {
    update: (done, total, text) => {
      const [value, end] = [Math.min(done, total), Math.max(total, 1)];
      if (started) single.setTotal(end);
      else single.start(end, value, { text });
      started = true;
      single.update(value, { text });
    },
    stop: () => single.stop(),
  };
};

const lines = (what: string, stream: NodeJS.WriteStream): Progress => {
  let lastMs = Date.now();
  return {
    update: (done, total, text) => {
      const nowMs = Date.now();
      if (nowMs - lastMs < LINE_EVERY_MS) return;
      lastMs = nowMs;
      stream.write(`${what}: ${percent(done, total)}%  ${text}\n`);
    },
    stop: () => undefined,
  };
};

const percent = (done: number, total: number): number =>
  total <= 0 ? 100 : Math.floor((Math.min(done, total) / total) * 100);
