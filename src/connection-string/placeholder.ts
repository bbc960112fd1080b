/** Recognises placeholders, which a template has instead of values. */

/**
 * Forms of a placeholder that stands for a whole value, by what they begin with: V8 compiles an expression when it is
 * first used, and few values begin so. Inside the brackets only words are allowed: a generated password may well begin
 * with `<` and end with `>`.
 */
const PLACEHOLDERS: readonly (readonly [beginnings: readonly string[], form: RegExp])[] = [
  [['<'], /^<[a-z][a-z0-9 _.-]*>$/i], // <ENTER-SQL-USER-PASSWORD>, <password>
  [['{', '${'], /^\$?\{\{?[a-z][a-z0-9 _.:/-]*\}?\}$/i], // {user}, ${DB_PASSWORD}, {{password}}, {{resolve:secretsmanager:…}}
  [['$'], /^\$\(?(?=[A-Z0-9_]*\)?$)[A-Z0-9_]*?(?:PASS|PWD|SECRET|USER|HOST|PORT|DATABASE|DB|PG|URL|CLUSTER)/], // $PASSWORD, $(DB_USER)
  [['%'], /^%[A-Z][A-Z0-9_]*%$/], // %PASSWORD%
  [['['], /^\[(?:your|enter|insert)[a-z _-]*\]$/i], // [YOUR-PASSWORD]
  [['change', 'replace', 'fill'], /^(?:change|replace|fill)[-_ ]?(?:me|this|in)$/i], // CHANGE_ME
]

/** True when the whole value is a placeholder. */
export function isPlaceholder(value: string): boolean {
  const text = value.trim()
  const lower = text.toLowerCase()
  return PLACEHOLDERS.some(([beginnings, form]) => beginnings.some((each) => lower.startsWith(each)) && form.test(text))
}

/** True when a host name has a placeholder anywhere: none of these characters is part of a name. */
export function hasPlaceholder(host: string): boolean {
  return isPlaceholder(host) || [...'<>{}$'].some((bracket) => host.includes(bracket))
}
