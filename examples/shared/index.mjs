/** The example's function: its event is one command, or a list of commands that run side by side. */
import { withDatabase } from 'cockroach-lambda'
import * as accounts from './accounts.mjs'

const COMMANDS = {
  open: ({ id, balance }) => accounts.open(BigInt(id), BigInt(balance)),
  list: () => accounts.list(),
  transfer: ({ from, to, amount }) => accounts.transfer(BigInt(from), BigInt(to), BigInt(amount)),
  add: ({ id, amount }) => accounts.add(BigInt(id), BigInt(amount)),
  end: () => accounts.end(),
}

async function run(event) {
  const command = Object.hasOwn(COMMANDS, event.command) ? COMMANDS[event.command] : undefined
  if (command === undefined) throw new Error(`expected a command: ${Object.keys(COMMANDS).join(', ')}`)
  return (await command(event)) ?? null
}

export const handler = withDatabase(async (event) => {
  const settled = await Promise.allSettled([event].flat().map(run))
  const failed = settled.find(({ status }) => status === 'rejected')
  if (failed !== undefined) throw failed.reason
  const results = settled.map(({ value }) => value)
  return withoutBigInts(Array.isArray(event) ? results : results[0])
})

/** JSON has no integers above 2^53: an INT8 is answered as text. */
function withoutBigInts(value) {
  return JSON.parse(JSON.stringify(value, (_key, part) => (typeof part === 'bigint' ? String(part) : part)))
}
