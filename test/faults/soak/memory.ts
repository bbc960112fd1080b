/** Samples the memory of a function's process, to distinguish growth without end from growth to a size. */

export interface MemorySample {
  readonly rss: number
  readonly heapUsed: number
}

const MEBIBYTE = 2 ** 20
/** Growth that is too much, of the last quarter over the second: both the part and the bytes. */
const GROWTH = { rss: { part: 0.4, bytes: 32 * MEBIBYTE }, heapUsed: { part: 0.4, bytes: 5 * MEBIBYTE } } as const
/** With fewer samples the quarters say nothing. */
const FEWEST_SAMPLES = 12

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function mebibytes(bytes: number | undefined): string {
  return ((bytes ?? 0) / MEBIBYTE).toFixed(1)
}

export class Memory {
  readonly #samples: MemorySample[] = []

  add(row: Readonly<Record<string, unknown>> | undefined): void {
    const { rss, heapUsed } = row ?? {}
    if (typeof rss === 'number' && typeof heapUsed === 'number') this.#samples.push({ rss, heapUsed })
  }

  /** In MiB, at the first and at the last sample. */
  describe(kind: keyof MemorySample): string {
    return `${mebibytes(this.#samples[0]?.[kind])} → ${mebibytes(this.#samples.at(-1)?.[kind])}`
  }

  /** One sentence for each kind that grew all the time. */
  findings(): string[] {
    if (this.#samples.length < FEWEST_SAMPLES) return [`memory was sampled only ${this.#samples.length} times`]
    const quarter = Math.floor(this.#samples.length / 4)
    return (['rss', 'heapUsed'] as const).flatMap((kind) => {
      const values = this.#samples.map((sample) => sample[kind])
      const [before, after] = [median(values.slice(quarter, 2 * quarter)), median(values.slice(-quarter))]
      const { part, bytes } = GROWTH[kind]
      const isTooMuch = after - before > bytes && after > before * (1 + part)
      return isTooMuch ? [`${kind} went on growing, from ${mebibytes(before)} to ${mebibytes(after)} MiB`] : []
    })
  }
}
