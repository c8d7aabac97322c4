import { FIGURES, type Bound, type Figure, type FigureName } from './figures.js';
import { median, spread } from './stats.js';

export type Verdict = 'met' | 'aim' | 'missed' | '';

/** One figure in one round, with the yardstick that was taken next to it. */
export interface Sample {
  value: number;
  yardstick?: number;
}

export interface Outcome {
  name: FigureName;
  figure: Figure;
  samples: readonly Sample[];
  value: number;
  yardstick?: number;
  /** Median of the ratios round by round. */
  ratio?: number;
  verdict: Verdict;
}

/** Rounds are comparable while disk and processor give the same within this factor. */
export const MAX_SPREAD = 1.6;

export interface Steadiness {
  syncSpread: number;
  jsonSpread: number;
  steady: boolean;
}

/** What was measured, round by round. */
export class Results {
  private readonly samples = new Map<FigureName, Sample[]>();

  add(name: FigureName, value: number, yardstick?: number): void {
    const list = this.samples.get(name) ?? [];
    list.push(yardstick === undefined ? { value } : { value, yardstick });
    this.samples.set(name, list);
  }

  outcomes(): Outcome[] {
    return (Object.keys(FIGURES) as FigureName[]).flatMap((name) => {
      const samples = this.samples.get(name);
      return samples ? [outcomeOf(name, samples)] : [];
    });
  }

  steadiness(): Steadiness {
    const values = (name: FigureName): number[] => (this.samples.get(name) ?? []).map(({ value }) => value);
    const [syncSpread, jsonSpread] = [spread(values('sync')), spread(values('json'))];
    return { syncSpread, jsonSpread, steady: syncSpread <= MAX_SPREAD && jsonSpread <= MAX_SPREAD };
  }
}

const outcomeOf = (name: FigureName, samples: readonly Sample[]): Outcome => {
  const figure: Figure = FIGURES[name];
  const value = median(samples.map((sample) => sample.value));
  const measured = samples.filter((sample): sample is Required<Sample> => sample.yardstick !== undefined);
  if (measured.length === 0) return { name, figure, samples, value, verdict: verdictOf(figure, { value }) };
  const yardstick = median(measured.map((sample) => sample.yardstick));
  const ratio = median(measured.map((sample) => sample.value / sample.yardstick));
  return { name, figure, samples, value, yardstick, ratio, verdict: verdictOf(figure, { value, yardstick, ratio }) };
};

interface Measured {
  value: number;
  yardstick?: number;
  ratio?: number;
}

const verdictOf = ({ better, must, aim }: Figure, measured: Measured): Verdict => {
  if (!better || !must) return '';
  if (aim && holds(better, aim, measured)) return 'aim';
  return holds(better, must, measured) ? 'met' : 'missed';
};

const holds = (better: 'more' | 'less', bound: Bound, { value, yardstick, ratio }: Measured): boolean => {
  const within = (actual: number, wanted: number): boolean => (better === 'more' ? actual >= wanted : actual <= wanted);
  if (bound.value !== undefined) return within(value, bound.value);
  if (yardstick === undefined || ratio === undefined || bound.ratio === undefined) return false;
  return bound.plus === undefined ? within(ratio, bound.ratio) : within(value, bound.ratio * yardstick + bound.plus);
};
