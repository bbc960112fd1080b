/** Reports progress on stderr. */
export type Progress = (step: string) => void

/** One line for each step, with the seconds since the beginning. */
export function progressSince(startedMs: number): Progress {
  return (step) => {
    const seconds = Math.round((performance.now() - startedMs) / 1000)
    process.stderr.write(`${String(seconds).padStart(4)} s  ${step}\n`)
  }
}
