import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../cli/commands.ts'
import { run } from '../../cli/run.ts'
import { runCommand } from '../support/command-line.ts'

const BUILT = join(import.meta.dirname, '../../dist/cli.cjs')
const PASSWORD = 'pw-of-nobody'
const SECRETS = [PASSWORD]

function command(...words: string[]) {
  return runCommand(words, { secrets: SECRETS })
}

describe('--help', () => {
  test.each(COMMANDS.map(({ name }) => name))('of %s has 80 columns, options and examples', async (name) => {
    const { code, stdout, stderr } = await command(...name.split(' '), '--help')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^Usage: npx cockroach-lambda /)
    expect(stdout).toContain('\nExamples:\n')
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  })

  test.each(['--help', '-h', 'help'])('%s lists every command', async (word) => {
    const { code, stdout } = await command(word)
    expect(code).toBe(0)
    for (const { name } of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'))
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  })

  test('comes in less than 150 ms', () => {
    const times: number[] = []
    // Again on a machine that is busy for the moment.
    for (let count = 0; count < 40 && !times.some((ms) => ms < 150); count += 1) {
      const startedAt = performance.now()
      expect(spawnSync(process.execPath, [BUILT, '--help'], { encoding: 'utf8' }).stdout).toContain('Commands:')
      times.push(performance.now() - startedAt)
    }
    expect(Math.min(...times)).toBeLessThan(150)
  })
})

describe('every example', () => {
  test.each(COMMANDS.flatMap(({ name, examples }) => examples.map(([line]) => ({ name, line }))))(
    '$line is a command line of $name',
    ({ name, line }) => {
      const words = line.replace(/^.*npx cockroach-lambda /, '').split(' ')
      expect(words.join(' ').startsWith(name)).toBe(true)
      const { options } = COMMANDS.find((each) => each.name === name) ?? { options: {} }
      const own = words.includes('--') ? words.slice(0, words.indexOf('--')) : words
      for (const word of own.filter((each) => each.startsWith('--')))
        expect(Object.keys(options)).toContain(word.slice(2))
    },
  )
})

describe('a wrong command line', () => {
  test.each([
    [['doctro'], /unknown command "doctro"; did you mean doctor\?/],
    [['doctor', '--secret-di', 'app/db'], /unknown option "--secret-di"; did you mean --secret-id\?/],
    [['doctor', '--secret-id'], /--secret-id needs a value: ID/],
    [['doctor', '--secret-id', '--json'], /--secret-id needs a value: ID/],
    [['doctor', '--json=yes'], /--json has no value/],
    [['doctor', '--json', '--json'], /--json is given twice/],
    [['doctor', 'app'], /doctor has options only, and no operand \(3 characters\)/],
    [['doctor', '--url', '-', '--secret-id', 'x'], /not both/],
    [['doctor', '--url', 'file'], /--url has one value, -/],
    [['doctor', '--url', '-'], /standard input is a terminal/],
  ])('%j', async (words, says) => {
    const { code, stdout, stderr } = await command(...words)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr.replaceAll('\n', ' ')).toMatch(says)
    expect(stderr).toMatch(/See: npx cockroach-lambda/)
  })

  test('without a word prints the help on stderr', async () => {
    expect(await command()).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('Commands:') })
  })

  test.each([
    [`postgresql://app:${PASSWORD}@h/d`],
    ['doctor', `postgresql://app:${PASSWORD}@h/d`],
    ['doctor', '--url', `postgresql://app:${PASSWORD}@h/d`],
    ['doctor', `--url=postgresql://app:${PASSWORD}@h/d`],
    ['doctor', `--${PASSWORD}`],
    ['doctor', '--secret-id', `host=h password=${PASSWORD}`],
    [`{"password":"${PASSWORD}"}`],
  ])('repeats no secret: %#', async (...words) => {
    // `runCommand` looks for it in the output.
    expect((await command(...words)).code).toBe(2)
  })
})

describe('colours', () => {
  async function coloured(environment: Readonly<Record<string, string>>): Promise<boolean> {
    const stdout = Object.assign(new PassThrough(), { isTTY: true })
    const output = text(stdout)
    await run(['doctor'], { environment, stdin: Readable.from([]), stdout, stderr: new PassThrough() })
    stdout.end()
    return (await output).includes('\u001b[')
  }

  test('are for terminals', async () => {
    expect(await coloured({})).toBe(true)
    expect((await command('doctor')).stdout).not.toContain('\u001b[')
  })

  test.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('are left out with %j', async (environment) => {
    expect(await coloured(environment)).toBe(false)
  })
})

describe('the built command', () => {
  test('runs, and exits with the code', () => {
    const { status, stdout } = spawnSync(process.execPath, [BUILT, 'doctor', '--json'], {
      env: { PATH: process.env.PATH },
      encoding: 'utf8',
    })
    expect({ status, failure: JSON.parse(stdout).failure.code }).toEqual({ status: 3, failure: 'ERR_CONFIG' })
  })

  test('is a program', () => {
    expect(execFileSync('head', ['-1', BUILT], { encoding: 'utf8' })).toBe('#!/usr/bin/env node\n')
  })
})
