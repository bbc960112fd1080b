/** Finds the known word that a misspelt word stands for. */

/** Characters that are compared; every known name is shorter. */
const LONGEST_NAME = 64

/** Levenshtein distance between two words: edits of one character each. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (const [row, left] of [...a].entries()) {
    const current = [row + 1]
    for (const [column, right] of [...b].entries()) {
      const substitution = (previous[column] ?? 0) + (left === right ? 0 : 1)
      current.push(Math.min(substitution, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1))
    }
    previous = current
  }
  return previous.at(-1) ?? 0
}

function comparable(word: string): string {
  return word.slice(0, LONGEST_NAME).toLowerCase()
}

/** The known word with the fewest edits to `word`, upper and lower case alike. */
export function nearest(word: string, known: readonly string[]): string {
  const rated = known.map((candidate) => ({
    candidate,
    distance: editDistance(comparable(word), comparable(candidate)),
  }))
  return rated.reduce((best, next) => (next.distance < best.distance ? next : best)).candidate
}

/** A misspelling has this many wrong characters at most, and not more than a third of them. */
const TYPOS = 2

/** Whether one of the three parts of `a` is in `b`, as it is for all but more than two wrong characters. */
function sharesPart(a: string, b: string): boolean {
  const bound = (part: number): number => Math.floor((part * a.length) / (TYPOS + 1))
  return [0, 1, 2].some((part) => b.includes(a.slice(bound(part), bound(part + 1))))
}

/** The known word that this one is a misspelling of; undefined for any other text, which may be a password. */
export function misspeltWord(word: string, known: readonly string[]): string | undefined {
  const compared = comparable(word)
  // The distance takes long to work out, and the environment's names are compared in every cold start.
  const near = known.filter(
    (name) => Math.abs(name.length - word.length) <= TYPOS && sharesPart(compared, comparable(name)),
  )
  if (near.length === 0) return undefined
  const candidate = nearest(word, near)
  const typos = editDistance(word.toLowerCase(), candidate.toLowerCase())
  return typos <= Math.min(TYPOS, candidate.length / 3) ? candidate : undefined
}

/** A misspelt word and the known one; of any other text the length alone, since it may be a password. */
export function describeWord(word: string, known: readonly string[]): string {
  const meant = misspeltWord(word, known)
  return meant === undefined ? `an unknown word of ${word.length} characters` : `"${word}"; did you mean "${meant}"?`
}
