/** Reads what is piped in: a secret, so it is bounded, and never printed. */
import { UsageError } from './command.ts'
import type { Context } from './context.ts'

/** Four times the limit of Secrets Manager; what is longer is refused by the reader of secrets. */
const LONGEST_BYTES = 262_144

/** The whole text. @throws UsageError at a terminal, where everybody would see what is typed */
export async function readStandardInput({ stdin }: Pick<Context, 'stdin'>): Promise<string> {
  if (stdin.isTTY === true)
    throw new UsageError('standard input is a terminal, which would show the secret; pipe it in')
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stdin) {
    const part = Buffer.from(chunk)
    bytes += part.length
    chunks.push(part)
    if (bytes > LONGEST_BYTES) break
  }
  return Buffer.concat(chunks).toString()
}
