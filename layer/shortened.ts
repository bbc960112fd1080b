/** Shortens a file once more: names by how often they are used, over the whole file, compress better than esbuild's. */
import { minify } from 'terser'

/** A file's text, and the map from it to the sources, if there is one. */
export interface MappedCode {
  readonly code: string
  readonly map: string | undefined
}

/** The same program; of its names, those of classes stay, for errors show them. */
export async function shortened({ code, map }: MappedCode): Promise<MappedCode> {
  const options = {
    ecma: 2022,
    keep_classnames: true,
    mangle: { toplevel: true },
    format: { ascii_only: true },
  } as const
  const sourceMap = map !== undefined && { content: map, asObject: false }
  const shorter = await minify(code, { ...options, sourceMap })
  if (shorter.code === undefined) throw new Error('terser returned no code')
  return { code: shorter.code, map: map === undefined ? undefined : String(shorter.map) }
}
