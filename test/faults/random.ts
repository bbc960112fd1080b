/** Random numbers that are the same for the same seed, so that a failing run can be repeated. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { mersenne } from 'pure-rand/generator/mersenne'

/** A number from 0 up to but not including 1. */
export type Random = () => number

/** A Mersenne Twister, whose numbers are independent for seeds that are close to each other. */
export function seededRandom(seed: number): Random {
  const generator = mersenne(seed)
  return () => uniformFloat64(generator)
}

/** A whole number from `min` to `max`, both included. */
export function between(random: Random, min: number, max: number): number {
  return min + Math.floor(random() * (max - min + 1))
}
