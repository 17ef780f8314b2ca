import type { Histogram, ReadInstrument, Sample } from './instruments.js';

/** The values that an exporter exports. */
export interface Source {
  /** Returns the values of an instrument now. */
  read(instrument: ReadInstrument): readonly Sample[];
  /** Calls back with each value of a histogram from now on; returns the function that ends it. */
  follow(histogram: Histogram, observe: (value: number) => void): () => void;
}
