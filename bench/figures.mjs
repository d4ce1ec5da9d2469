// What benchmarks make of their measurements.

export function quantile(values, q) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

export const median = (values) => quantile(values, 0.5);

/** The ratio is the median of the rounds' own ratios: what disturbs a round disturbs both of its halves. */
export function compared(metric, ours, baseline, { unit, atLeast, atMost }) {
  const ratio = median(ours.map((value, round) => value / baseline[round]));
  const ok = atLeast === undefined ? ratio <= atMost : ratio >= atLeast;
  const goal = atLeast === undefined ? `<= ${atMost} x` : `>= ${atLeast} x`;
  return { ...result(metric, median(ours), unit, median(baseline), goal, ok), ratio: round3(ratio) };
}

export function result(metric, value, unit, baseline, goal, ok) {
  const beside = baseline === null ? {} : { baseline: round3(baseline), ratio: round3(value / baseline) };
  return { metric, value: round3(value), unit, ...beside, goal, ok };
}

/** A figure that nothing was promised of. */
export function figure(metric, value, unit, baseline = null) {
  const beside = baseline === null ? {} : { baseline: round3(baseline), ratio: round3(value / baseline) };
  return { metric, value: round3(value), unit, ...beside };
}

export function round3(value) {
  return Math.round(value * 1000) / 1000;
}
