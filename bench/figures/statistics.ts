/** Medians, spreads and ratios of figures that were taken in turns. */

/** A median with its quartiles and the number of figures behind it. */
export interface Spread {
  readonly median: number
  /** First and third quartile. */
  readonly q1: number
  readonly q3: number
  readonly count: number
}

/** The value below which a part of the figures lies, between two of them interpolated. */
function quantile(figures: readonly number[], part: number): number {
  const sorted = figures.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * part
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

export function median(figures: readonly number[]): number {
  return quantile(figures, 0.5)
}

export function spread(figures: readonly number[]): Spread {
  return {
    median: median(figures),
    q1: quantile(figures, 0.25),
    q3: quantile(figures, 0.75),
    count: figures.length,
  }
}

/** The median of the ratios round by round: whatever slows the machine in a round slows both. */
export function pairedRatio(figures: readonly number[], base: readonly number[]): number {
  return median(figures.map((figure, round) => figure / (base[round] ?? Number.NaN)))
}

/** The median of the differences round by round. */
export function pairedDifference(figures: readonly number[], base: readonly number[]): number {
  return median(figures.map((figure, round) => figure - (base[round] ?? Number.NaN)))
}
