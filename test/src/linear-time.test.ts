/** Reading a text of twice the length takes about twice the time, and not four times: for each reader, its worst texts. */
import { expect, test } from 'vitest'
import { LONG_TEXTS, longText, readingMs } from '../../bench/figures/long-texts.ts'

const LENGTHS = [16 * 1024, 64 * 1024]
const ROUNDS = 7
/** Twice and twice again would be 4; where the work grows with the square it is 16. */
const MOST_TIMES = 9
/** What a pause of the machine adds to the shortest of several readings, in milliseconds. */
const PAUSE_MS = 2

test.each(LONG_TEXTS)('%s: four times the length takes no more than nine times the time', (...row) => {
  const times = LENGTHS.map(() => Number.POSITIVE_INFINITY)
  // In turns, so that a busy machine slows all of them.
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, length] of LENGTHS.entries()) {
      times[index] = Math.min(times[index] ?? 0, readingMs(row[1], longText(row, length)))
    }
  }
  const [short = 0, long = 0] = times
  expect(long).toBeLessThan(MOST_TIMES * (short + PAUSE_MS))
})
