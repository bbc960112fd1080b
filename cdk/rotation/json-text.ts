/** Reads JSON with the position of every text in it, so that one can be changed and the rest stays byte for byte. */

/** A text as it is meant, and for each of its characters (and its end) the position in the JSON. */
export interface JsonText {
  readonly text: string
  readonly positions: readonly number[]
}

/** A member of an object, or an element of an array, which has no key. */
interface JsonMember {
  readonly key: string | undefined
  readonly value: JsonValue
}

/** Numbers, `true`, `false` and `null` hold no login: they are read as objects without members. */
export type JsonValue = JsonText | readonly JsonMember[]

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s"{}[\]:,]+/g
const CHARACTER = /\\u[\da-f]{4}|\\.|[^\\]/gis

export function isJsonText(value: JsonValue): value is JsonText {
  return 'positions' in value
}

function readText(literal: string, start: number): JsonText {
  const positions: number[] = []
  let text = ''
  for (const { 0: character, index } of literal.slice(1, -1).matchAll(CHARACTER)) {
    positions.push(start + 1 + index)
    text += character.length === 1 ? character : JSON.parse(`"${character}"`)
  }
  return { text, positions: [...positions, start + literal.length - 1] }
}

/** @param json a text that `JSON.parse` accepts */
export function readJson(json: string): JsonValue {
  const tokens = [...json.matchAll(TOKEN)].map(({ 0: token, index }) => ({ token, index }))
  let next = 0
  const take = (): { token: string; index: number } => tokens[next++] ?? { token: '', index: json.length }
  const readValue = (): JsonValue => {
    const { token, index } = take()
    if (token === '{' || token === '[') return readMembers(token === '{')
    return token.startsWith('"') ? readText(token, index) : []
  }
  const readMembers = (isObject: boolean): readonly JsonMember[] => {
    const members: JsonMember[] = []
    while (next < tokens.length) {
      if (/^[}\]]$/.test(tokens[next]?.token ?? '')) {
        next += 1
        break
      }
      const key = isObject ? readText(take().token, 0).text : undefined
      if (isObject) next += 1
      members.push({ key, value: readValue() })
      if (tokens[next]?.token === ',') next += 1
    }
    return members
  }
  return readValue()
}

/** The text as it stands between the quotes of JSON. */
export function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}
