/** Tables of pages that are made from the rows of tests, so that the two cannot differ. */

/** The page with what stands between `<!-- name: begin -->` and `<!-- name: end -->` replaced. */
export function withTable(page: string, name: string, table: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`]
  const [before, rest = ''] = page.split(begin)
  const [, after] = rest.split(end)
  if (before === undefined || after === undefined) throw new Error(`the page lacks ${begin} or ${end}`)
  return `${before}${begin}\n${table}\n${end}${after}`
}
