/** The licences of the packages in a bundle: each text once, under the packages and copyright lines it covers. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Package {
  readonly name: string
  readonly version: string
  readonly license?: string
}

const PACKAGE_FOLDER = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/
/** How to apply the licence to one's own work: no term of it. */
const APACHE_APPENDIX = /(?<=END OF TERMS AND CONDITIONS)[\s\S]*/
const COPYRIGHT_LINE = /^ *(?:Copyright \(?[c\d].*|All rights reserved\.?)\n/gim

/**
 * The text of the layer's LICENSES file.
 * @param repository the folder with our own package.json and LICENSE.
 * @param inputs paths of bundled files, relative to the repository, as esbuild's metafile names them.
 */
export function licensesText(repository: string, inputs: readonly string[]): string {
  const folders = new Set(inputs.flatMap((path) => PACKAGE_FOLDER.exec(path)?.[0] ?? []))
  const headingsByTerms = new Map<string, string[]>()
  for (const folder of ['.', ...[...folders].sort()].map((name) => join(repository, name))) {
    const {
      name,
      version,
      license = 'no licence',
    }: Package = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const text = licenseFile(folder) ?? `${license}; the package ships no licence text.`
    const copyrights = text.match(COPYRIGHT_LINE)?.map((line) => `  ${line.trim()}`) ?? []
    const terms = text.replace(APACHE_APPENDIX, '').replace(COPYRIGHT_LINE, '').replace(/\s+/g, ' ').trim()
    headingsByTerms.set(terms, [
      ...(headingsByTerms.get(terms) ?? []),
      [`${name} ${version}`, ...copyrights].join('\n'),
    ])
  }
  return [...headingsByTerms].map(([terms, headings]) => `${headings.join('\n')}\n\n${wrap(terms)}\n`).join('\n\n')
}

function licenseFile(folder: string): string | undefined {
  const file = readdirSync(folder)
    .sort()
    .find((name) => /^licen[cs]e(?:\.\w+)?$/i.test(name))
  return file === undefined ? undefined : `${readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n')}\n`
}

/** The same licence has other line breaks in other packages: with ours, equal texts are equal. */
function wrap(text: string): string {
  return text.replace(/(.{1,119})(?: |$)/g, '$1\n').trimEnd()
}
