/** Finds the known word that a misspelt one was meant to be. */

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

/** The known word with the fewest edits to `word`, upper and lower case alike. */
export function nearest(word: string, known: readonly string[]): string {
  const rated = known.map((candidate) => ({
    candidate,
    distance: editDistance(word.toLowerCase(), candidate.toLowerCase()),
  }))
  return rated.reduce((best, next) => (next.distance < best.distance ? next : best)).candidate
}
